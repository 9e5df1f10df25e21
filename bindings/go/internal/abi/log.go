package abi

// #include "shim.h"
import "C"

import (
	"sync"
	"unsafe"
)

// Log gets one line at a time, from any engine thread.
type Log func(level int32, line string)

// Go functions cannot be given to C: their numbers are.
var logs = struct {
	sync.RWMutex
	last  uintptr
	table map[uintptr]Log
}{table: map[uintptr]Log{}}

// SetLog has the lines of the gateway's log given to a function, until the gateway has closed.
func (o Options) SetLog(log Log) *Error {
	logs.Lock()
	logs.last++
	id := logs.last
	logs.table[id] = log
	logs.Unlock()
	return taken(C.sluice_go_set_log(o.c, C.uintptr_t(id)))
}

//export sluiceGoLog
func sluiceGoLog(id C.uintptr_t, level C.int32_t, line *C.char, size C.size_t) {
	logs.RLock()
	log := logs.table[uintptr(id)]
	logs.RUnlock()
	if log != nil && size != 0 {
		log(int32(level), string(bytesAt(unsafe.Pointer(line), int(size))))
	}
}

//export sluiceGoLogGone
func sluiceGoLogGone(id C.uintptr_t) {
	logs.Lock()
	delete(logs.table, uintptr(id))
	logs.Unlock()
}

// LogsHeld is how many functions C may still call, for the tests of what is left behind.
func LogsHeld() int {
	logs.RLock()
	defer logs.RUnlock()
	return len(logs.table)
}

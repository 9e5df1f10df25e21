package sluice

import "sluice.example/sluice/internal/abi"

// An Option is what a program brings to its gateway beside the configuration.
type Option func(*options)

type options struct {
	threads    *uint32
	seed       *uint64
	log        func(LogLevel, string)
	plugins    []Plugin
	simulation Simulation
}

// WithThreads sets the number of engine threads, whatever the configuration says. At least one.
func WithThreads(threads uint) Option {
	n := uint32(threads)
	return func(o *options) { o.threads = &n }
}

// WithSeed sets what ids and every chance come from. The same seed, simulation and requests give the same run.
func WithSeed(seed uint64) Option { return func(o *options) { o.seed = &seed } }

// LogLevel is how much a line of the log matters.
type LogLevel int32

const (
	LogDebug   LogLevel = 0
	LogInfo    LogLevel = 1
	LogWarning LogLevel = 2
	LogError   LogLevel = 3
)

// WithLog has each line of the gateway's log given to a function: on any engine thread, perhaps on several at once. It must not
// block, and must not call the gateway.
func WithLog(log func(level LogLevel, line string)) Option { return func(o *options) { o.log = log } }

// WithPlugin brings a plugin. It runs where a plugin list of the configuration names it; where none does, on every route.
func WithPlugin(plugins ...Plugin) Option {
	return func(o *options) { o.plugins = append(o.plugins, plugins...) }
}

// A Simulation is scripted upstreams and a clock that moves when it is told: package sluicetest makes them.
type Simulation interface {
	// Handle and Seed are for this package alone.
	Handle() abi.Simulation
	Seed() uint64
}

// WithSimulation gives the gateway the network and the time of a simulation. It has no threads then: whoever waits for an answer
// moves the time until it is there.
func WithSimulation(s Simulation) Option { return func(o *options) { o.simulation = s } }

// carry puts all of it into the C ABI's options. `tagged` are the plugins by the tags their hooks come with.
func (o *options) carry(to abi.Options, queue *abi.Queue, tagged map[uint64]Plugin) error {
	if o.threads != nil {
		if *o.threads == 0 {
			return failed(CodeInvalidParameter, "a Go program needs a gateway with threads: set at least one")
		}
		if err := to.SetThreads(*o.threads); err != nil {
			return errorOf(err)
		}
	}
	if o.seed == nil && o.simulation != nil {
		// One seed for all: ids too are the same every time.
		seed := o.simulation.Seed()
		o.seed = &seed
	}
	if o.seed != nil {
		if err := to.SetSeed(*o.seed); err != nil {
			return errorOf(err)
		}
	}
	if o.log != nil {
		log := o.log
		if err := to.SetLog(func(level int32, line string) { log(LogLevel(level), line) }); err != nil {
			return errorOf(err)
		}
	}
	if o.simulation != nil {
		if err := to.SetSimulation(o.simulation.Handle()); err != nil {
			return errorOf(err)
		}
	}
	for i, plugin := range o.plugins {
		tag := pluginTag | uint64(i)
		if err := to.AddPlugin(queue, plugin.Name(), int32(plugin.Phase()), plugin.Wants().asked(), tag); err != nil {
			return errorOf(err)
		}
		tagged[tag] = plugin
	}
	return nil
}

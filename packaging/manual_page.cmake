# Makes sluiced(1) of what `sluiced --help` says:
#   cmake -DSLUICED=path -DVERSION=0.1.0 -DOUTPUT=sluiced.1 -P manual_page.cmake
# The first line is the name, `word:` at the beginning of a line opens a section, everything else stands as it is.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND "${SLUICED}" --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")

# The next line of the help, in `line`. No list: brackets and semicolons mean something there.
macro(take_line)
  string(FIND "${help}" "\n" end)
  string(SUBSTRING "${help}" 0 ${end} line)
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${help}" ${end} -1 help)
endmacro()

take_line()
string(REGEX REPLACE "^sluiced, " "sluiced \\\\- " title "${line}")
set(page ".TH SLUICED 1 \"\" \"sluice ${VERSION}\"\n.SH NAME\n${title}\n")
set(close "")
while(NOT help STREQUAL "")
  take_line()
  if(line MATCHES "^([A-Za-z][A-Za-z. ]*): *(.*)$")
    set(line "${CMAKE_MATCH_2}")
    set(section "${CMAKE_MATCH_1}")
    if(NOT section MATCHES "[.]")  # a file's name stays one
      string(TOUPPER "${section}" section)
    endif()
    string(REPLACE "USAGE" "SYNOPSIS" section "${section}")
    string(APPEND page "${close}.SH ${section}\n.EX\n")
    set(close ".EE\n")
  endif()
  if(NOT line STREQUAL "")
    string(APPEND page "\\&${line}\n")
  endif()
endwhile()
string(APPEND page "${close}.SH FILES\nThe configuration is the one argument; it names all other files. The unit of systemd serves /etc/sluice/gateway.json.\n")
string(APPEND page ".SH SEE ALSO\nThe pages below docs/ of the sources: operating.md for signals, log and statistics, configuration.md for every key.\n")
file(WRITE "${OUTPUT}" "${page}")

# fish completion for isomorph
complete -c isomorph -n __fish_use_subcommand -f -a run -d 'run a program of another instruction set'
complete -c isomorph -n __fish_use_subcommand -f -a boot -d 'run a machine'
complete -c isomorph -n __fish_use_subcommand -f -a disasm -d 'show the instructions of a program'
complete -c isomorph -n __fish_use_subcommand -f -a explain -d 'show how instructions are translated'
complete -c isomorph -n __fish_use_subcommand -f -a binfmt -d 'have the kernel run such programs by itself'
complete -c isomorph -n __fish_use_subcommand -f -a help -d 'list the verbs'
complete -c isomorph -n __fish_use_subcommand -f -a version -d 'print the version'
complete -c isomorph -n '__fish_seen_subcommand_from help' -f -a 'run boot disasm explain binfmt'
complete -c isomorph -n '__fish_seen_subcommand_from binfmt' -f -a 'install remove status riscv64 aarch64'
complete -c isomorph -n '__fish_seen_subcommand_from binfmt' -l no-boot -d 'not at the next boot'
complete -c isomorph -s h -l help -d 'print the options'
complete -c isomorph -l version -d 'print the version'

# isomorph-riscv64 takes the options of `isomorph run`.
function __isomorph_options
	complete $argv -s L -x -a '(__fish_complete_directories)' -d 'root of the guest libraries'
	complete $argv -s E -x -d 'set a variable'
	complete $argv -s U -x -a '(set -nx)' -d 'remove a variable'
	complete $argv -s 0 -x -d 'argv[0] of the program'
	complete $argv -s s -x -d 'stack limit'
	complete $argv -s r -x -d 'kernel release'
	complete $argv -o strace -d 'log system calls'
	complete $argv -s d -x -a '(__fish_append , guest lift regalloc emit)' -d 'log stages of translation'
	complete $argv -s D -r -d 'log to a file'
	complete $argv -o version -d 'print the version'
	complete $argv -l accel -x -a 'translate interpret lockstep' -d 'how to run'
	complete $argv -l stats -d 'log counters and times at the end'
	complete $argv -s B -d 'guest memory in a window'
	complete $argv -l force-faults -d 'fault once at every access'
	complete $argv -l baseline -d 'x86-64-v2 instructions only'
	complete $argv -l lockstep-sample -x -d 'compare one region in N'
	complete $argv -l max-insns -x -d 'guest instructions of a region'
end
__isomorph_options -c isomorph -n '__fish_seen_subcommand_from run'
__isomorph_options -c isomorph-riscv64
complete -c isomorph-riscv64 -s h -l help -d 'print the options'
complete -c isomorph-riscv64 -l version -d 'print the version'
functions -e __isomorph_options

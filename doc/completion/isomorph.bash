# bash completion for isomorph
_isomorph()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local options="-L -E -U -0 -s -r -strace -d -D -version --accel --stats -B --force-faults --baseline
		--lockstep-sample --max-insns --help"

	[[ ${COMP_WORDS[0]##*/} == isomorph ]] || verb=run
	if [[ ${COMP_WORDS[0]##*/} == isomorph && $COMP_CWORD == 1 ]]; then
		COMPREPLY=($(compgen -W "run disasm explain help version" -- "$word"))
	elif [[ $verb == help ]]; then
		COMPREPLY=($(compgen -W "run disasm explain" -- "$word"))
	elif [[ $verb == run && $before == --accel ]]; then
		COMPREPLY=($(compgen -W "translate interpret lockstep" -- "$word"))
	elif [[ $verb == run && $before == -d ]]; then
		COMPREPLY=($(compgen -W "guest lift regalloc emit" -- "$word"))
	elif [[ $verb == run && $before == -L ]]; then
		COMPREPLY=($(compgen -d -- "$word"))
	elif [[ $verb == run && $word == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$word"))
	else
		COMPREPLY=($(compgen -f -- "$word"))
	fi
}
complete -o filenames -F _isomorph isomorph isomorph-riscv64

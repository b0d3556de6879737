# bash completion for isomorph
_isomorph()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local options="-L -E -U -0 -s -r -strace -d -D -version --version -h --help --accel --stats -B --force-faults
		--baseline --lockstep-sample --max-insns"
	local stages="guest lift regalloc emit" name=${COMP_WORDS[0]##*/} done

	COMPREPLY=()
	if [[ $name == isomorph && $COMP_CWORD == 1 ]]; then
		COMPREPLY=($(compgen -W "run boot disasm explain binfmt help version --help --version" -- "$word"))
		return
	fi
	[[ $name == isomorph ]] || verb=run
	case $verb,$before in
	help,*) COMPREPLY=($(compgen -W "run boot disasm explain binfmt" -- "$word")) ;;
	run,--accel) COMPREPLY=($(compgen -W "translate interpret lockstep" -- "$word")) ;;
	run,-d) # a list: the last word of it
		[[ $word == *,* ]] && done=${word%,*},
		COMPREPLY=($(compgen -P "$done" -W "$stages" -- "${word##*,}")) ;;
	run,-L) COMPREPLY=($(compgen -d -- "$word")) ;;
	run,-[EU]) COMPREPLY=($(compgen -v -- "$word")) ;;
	run,*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W "$options" -- "$word"))
		else
			COMPREPLY=($(compgen -f -- "$word"))
		fi ;;
	binfmt,*) COMPREPLY=($(compgen -W "install remove status riscv64 aarch64 --no-boot -h --help" -- "$word")) ;;
	disasm,* | explain,*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W "-h --help" -- "$word"))
		else
			COMPREPLY=($(compgen -f -- "$word"))
		fi ;;
	esac
}
complete -o filenames -F _isomorph isomorph isomorph-riscv64

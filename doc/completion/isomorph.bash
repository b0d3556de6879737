# bash completion for isomorph
_isomorph_machines()
{
	isomorph list "$@" 2>/dev/null | awk 'NR > 1 { print $1 }'
}
_isomorph()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local options="-L -E -U -0 -s -r -g --gdb -strace -d -D -version --version -h --help --accel --cache --stats -B --force-faults
		--vlen --baseline --baseline-v3 --lockstep-sample --max-insns --tier --loop-heat"
	local machine="--image --kernel --initrd --append --dtb --firmware --bare --signature --arch --machine --cpus --memory
		--disk --cdrom --user-data --net --forward --share --vsock --name --detach --accel --pin --weight
		--deterministic --force-faults --timeout --stats -d -h --help"
	local stages="guest lift regalloc emit" name=${COMP_WORDS[0]##*/} done

	COMPREPLY=()
	if [[ $name == isomorph && $COMP_CWORD == 1 ]]; then
		COMPREPLY=($(compgen -W "run boot list inspect stop pause resume console shell snapshot image remove disasm explain binfmt cache help version --help --version" -- "$word"))
		return
	fi
	[[ $name == isomorph ]] || verb=run
	case $verb,$before in
	help,*) COMPREPLY=($(compgen -W "run boot list inspect stop pause resume console shell snapshot image remove disasm explain binfmt cache" -- "$word")) ;;
	run,--accel) COMPREPLY=($(compgen -W "translate interpret lockstep" -- "$word")) ;;
	run,-d) # a list: the last word of it
		[[ $word == *,* ]] && done=${word%,*},
		COMPREPLY=($(compgen -P "$done" -W "$stages" -- "${word##*,}")) ;;
	run,--cache) COMPREPLY=($(compgen -d -W "off" -- "$word")) ;;
	run,-L) COMPREPLY=($(compgen -d -- "$word")) ;;
	run,-[EU]) COMPREPLY=($(compgen -v -- "$word")) ;;
	run,*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W "$options" -- "$word"))
		else
			COMPREPLY=($(compgen -f -- "$word"))
		fi ;;
	boot,--image) COMPREPLY=($(compgen -W "debian debian:trixie" -- "$word")) ;;
	boot,--accel) COMPREPLY=($(compgen -W "auto translate interpret lockstep" -- "$word")) ;;
	boot,--arch) COMPREPLY=($(compgen -W "riscv64" -- "$word")) ;;
	boot,--machine) COMPREPLY=($(compgen -W "virt virt,aia=aplic virt,aia=aplic-imsic" -- "$word")) ;;
	boot,--net) COMPREPLY=($(compgen -W "user none tap= switch=" -- "$word")) ;;
	boot,--share) COMPREPLY=($(compgen -d -- "$word")) ;;
	boot,--kernel | boot,--initrd | boot,--dtb | boot,--firmware | boot,--bare | boot,--signature | boot,--disk | boot,--cdrom | boot,--user-data)
		COMPREPLY=($(compgen -f -- "$word")) ;;
	boot,*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W "$machine" -- "$word"))
		else
			COMPREPLY=($(compgen -W "$(_isomorph_machines --all)" -- "$word"))
		fi ;;
	list,*) COMPREPLY=($(compgen -W "--all --json -h --help" -- "$word")) ;;
	inspect,* | pause,* | resume,* | console,* | shell,*)
		COMPREPLY=($(compgen -W "$(_isomorph_machines) -h --help" -- "$word")) ;;
	stop,*) COMPREPLY=($(compgen -W "$(_isomorph_machines) --now --timeout -h --help" -- "$word")) ;;
	remove,*) COMPREPLY=($(compgen -W "$(_isomorph_machines --all) -h --help" -- "$word")) ;;
	snapshot,snapshot) COMPREPLY=($(compgen -W "save list restore clone verify delete -h --help" -- "$word")) ;;
	snapshot,*) COMPREPLY=($(compgen -W "$(_isomorph_machines --all) --detach --timeout" -- "$word")) ;;
	cache,*) COMPREPLY=($(compgen -d -W "status verify clear --json -h --help" -- "$word")) ;;
	image,*) COMPREPLY=($(compgen -W "list pull create remove debian debian:trixie --base -h --help" -- "$word")) ;;
	binfmt,*) COMPREPLY=($(compgen -W "install remove status riscv64 aarch64 --no-boot -h --help" -- "$word")) ;;
	disasm,* | explain,*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W "-h --help" -- "$word"))
		else
			COMPREPLY=($(compgen -f -- "$word"))
		fi ;;
	esac
}
complete -o filenames -F _isomorph isomorph isomorph-riscv64 isomorph-aarch64

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for weir. Commands and options come from weir's own --help, so that they are never
# older than the program; probes and processes come from what runs.

# Words of `$1 --help` ($2: the command or empty) that begin with a dash at the start of a line or
# follow such a one.
_weir_options() {
	local line word
	"$1" ${2:+"$2"} --help 2>/dev/null </dev/null | while read -r line; do
		[[ $line == -* ]] || continue
		for word in ${line//[,=\[]/ }; do
			[[ $word == -?* ]] || break
			printf '%s\n' "$word"
		done
	done
}

_weir_commands() {
	"$1" --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'
}

# Processes that hold a weir page and may be looked into.
_weir_pids() {
	local link
	for link in /proc/[0-9]*/fd/*; do
		[[ $(readlink "$link" 2>/dev/null) == '/memfd:weir (deleted)' ]] || continue
		link=${link#/proc/}
		echo "${link%%/*}"
	done | sort -un
}

# PROVIDER:PROBE and PROVIDER:* of the process that the line names with -p, else of all.
_weir_probes() {
	local weir=$1 i pid=--all
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-p | --pid) pid="-p ${COMP_WORDS[i + 1]}" ;;
		esac
	done
	# shellcheck disable=SC2086 # -p PID is two words
	"$weir" list $pid --json 2>/dev/null |
		sed -n 's/.*"provider": *"\([^"]*\)".*"probe": *"\([^"]*\)".*/\1:*\n\1:\2/p' | sort -u
}

_weir() {
	local weir=${COMP_WORDS[0]} last=${COMP_WORDS[COMP_CWORD - 1]} line=${COMP_LINE:0:COMP_POINT}
	local word=${line##*[[:blank:]]} command='' i words='' reply

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} != -* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done
	COMPREPLY=()
	case $last in
	-p | --pid) words=$(_weir_pids) ;;
	-x | --exec | -o | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*)
		if [[ $word == -* ]]; then
			words=$(_weir_options "$weir" "$command")
		elif [[ -z $command ]]; then
			words=$(_weir_commands "$weir")
		elif [[ $command == trace || $command == record ]]; then
			words=$(_weir_probes "$weir")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
		fi
		;;
	esac
	while read -r reply; do
		[[ -n $reply && $reply == "$word"* ]] && COMPREPLY+=("$reply")
	done <<<"$words"
	# Readline breaks words at colons: it replaces only what follows the last one.
	if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
	fi
}

complete -F _weir weir

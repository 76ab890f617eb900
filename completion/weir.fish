# SPDX-License-Identifier: MIT
# fish completion for weir: commands and options come from weir's own --help.

function __weir_command
    for word in (commandline -opc)[2..-1]
        if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
    return 1
end

function __weir_commands
    weir --help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*) +(.*)$' '$1\t$2'
end

# "  -p, --pid PID   text" becomes "-p<TAB>text" and "--pid<TAB>text".
function __weir_options
    weir (__weir_command) --help 2>/dev/null | string match -r '^ +-.*' | while read -l line
        set -l text (string replace -r '^\s*-.*?\s\s+' '' -- $line)
        for option in (string match -ra '(?<=^|\s|,)--?[A-Za-z][A-Za-z0-9-]*(?=[,\s=\[]|$)' -- (string replace -r '\s\s+\S.*$' '' -- (string trim -- $line)))
            printf '%s\t%s\n' $option $text
        end
    end
end

complete -c weir -f
complete -c weir -n 'not __weir_command' -a '(__weir_commands)'
complete -c weir -n '__weir_command' -a '(__weir_options)'
complete -c weir -n '__fish_contains_opt -s p pid' -a '(__fish_complete_pids)'

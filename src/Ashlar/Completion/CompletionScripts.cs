namespace Ashlar.CommandLine;

/// <summary>What shells need to complete command lines. Each asks the program itself, by the name that was typed.</summary>
static class CompletionScripts
{
    const string Bash = """
        # Completion of ashlar for bash. In ~/.bashrc: source <(ashlar completion bash)
        # For all users: ashlar completion bash > /usr/share/bash-completion/completions/ashlar
        # A word as the program gets it, in REPLY: without quotes.
        _ashlar_unquote() {
            local text=$1 quote= c i
            REPLY=
            for ((i = 0; i < ${#text}; i++)); do
                c=${text:i:1}
                case $quote$c in
                    "''") quote= ;;
                    \'?) REPLY+=$c ;;
                    '\' | '"\') i=$((i + 1)) REPLY+=${text:i:1} ;;
                    '""') quote= ;;
                    \" | \') quote=$c ;;
                    *) REPLY+=$c ;;
                esac
            done
        }
        _ashlar() {
            local line=${COMP_LINE:0:COMP_POINT} words=() found=() kind= begun= value rest word head REPLY i
            COMPREPLY=()
            # Bash cuts words at = and :, too. What stands together is one word; of it bash replaces what follows the last cut.
            for ((i = 0; i <= COMP_CWORD; i++)); do
                rest=${line#"${line%%[![:space:]]*}"} word=${COMP_WORDS[i]}
                [ "$i" -lt "$COMP_CWORD" ] || word=$rest begun=$rest
                if [ "$i" -gt 0 ] && [ "$rest" = "$line" ]; then words[${#words[@]} - 1]+=$word; else words+=("$word"); fi
                line=${rest#"$word"}
            done
            [[ ! $begun =~ ^[=:]+$ ]] || begun=
            for ((i = 0; i < ${#words[@]}; i++)); do _ashlar_unquote "${words[i]}"; words[i]=$REPLY; done
            _ashlar_unquote "$begun"
            value=${words[${#words[@]} - 1]} head=${words[${#words[@]} - 1]%"$REPLY"}
            while IFS= read -r line; do
                case $line in
                    :*) kind=${line#:} ;;
                    *) found+=("${line%%$'\t'*}") ;;
                esac
            done < <("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1}" 2>/dev/null)
            case $value in --*=*) value=${value#*=} ;; esac
            case $kind in
                files) mapfile -t found < <(compgen -f -- "$value") ;;
                directories) mapfile -t found < <(compgen -d -- "$value") ;;
            esac
            case $kind in files | directories) compopt -o filenames 2>/dev/null; head=${value%"$REPLY"} ;; esac
            for word in "${found[@]}"; do
                word=${word#"$head"}
                # Nothing that a shell would carry out; names of files are quoted by bash.
                case $kind in files | directories) ;; *) printf -v word %q "$word" ;; esac
                COMPREPLY+=("$word")
            done
            case ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac
        }
        complete -F _ashlar ashlar

        """;

    const string Zsh = """
        #compdef ashlar
        # Completion of ashlar for zsh. In ~/.zshrc, after compinit: source <(ashlar completion zsh)
        # For all users: ashlar completion zsh > /usr/share/zsh/site-functions/_ashlar
        _ashlar() {
            local -a candidates
            local line kind word program=${words[1]/#\~/$HOME}
            while IFS= read -r line; do
                if [[ $line == :* ]]; then
                    kind=${line#:}
                elif [[ $line == *$'\t'* ]]; then
                    word=${line%%$'\t'*}
                    candidates+=("${word//:/\\:}:${line#*$'\t'}")
                else
                    candidates+=("${line//:/\\:}")
                fi
            done < <("$program" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
            case $kind in
                files) _files ;;
                directories) _files -/ ;;
                *) _describe -t ashlar ashlar candidates ;;
            esac
        }
        # Loaded from fpath it is called at once; sourced it is only made known.
        if [[ ${funcstack[1]-} == _ashlar ]]; then _ashlar "$@"; else compdef _ashlar ashlar; fi

        """;

    const string Fish = """
        # Completion of ashlar for fish: ashlar completion fish > ~/.config/fish/completions/ashlar.fish
        # For all users: ashlar completion fish > /usr/share/fish/vendor_completions.d/ashlar.fish
        function __ashlar_complete
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            set -l program $words[1]
            set -e words[1]
            for line in ($program __complete -- $words "$current" 2>/dev/null)
                switch $line
                    case ':files'
                        __fish_complete_path "$current"
                    case ':directories'
                        __fish_complete_directories "$current"
                    case ':*'
                    case '*'
                        echo $line
                end
            end
        end
        complete -c ashlar -f -a '(__ashlar_complete)'

        """;

    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    public static string Of(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        _ => Fish,
    };
}

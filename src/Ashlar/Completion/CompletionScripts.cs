namespace Ashlar.CommandLine;

/// <summary>What shells need to complete command lines. Each asks the program itself, by the name that was typed.</summary>
static class CompletionScripts
{
    const string Bash = """
        # Completion of ashlar for bash. In ~/.bashrc: source <(ashlar completion bash)
        # For all users: ashlar completion bash > /usr/share/bash-completion/completions/ashlar
        _ashlar() {
            local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} kind= line
            COMPREPLY=()
            while IFS= read -r line; do
                case $line in
                    :*) kind=${line#:} ;;
                    *) COMPREPLY+=("${line%%$'\t'*}") ;;
                esac
            done < <("$program" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
            [ "$current" != = ] || current=
            case $kind in
                files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
                directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
            esac
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

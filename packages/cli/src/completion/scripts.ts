import type { shells } from "./names.ts";

/*
 * Thin scripts: what to offer is decided by `strata __complete`, once for all shells. It prints a candidate a line,
 * with a tab and a description; a line `:files` asks for the shell's own file names.
 */

const bash = `# bash completion for strata: source <(strata completion bash)
_strata() {
  local line typed files= before="\${COMP_LINE:0:COMP_POINT}"
  local -a words
  # Not COMP_WORDS, which is cut at the colon of an image's name.
  read -ra words <<< "$before"
  [[ $before == *[[:space:]] ]] && words+=("")
  typed="\${words[-1]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    line="\${line%%$'\\t'*}"
    # Readline replaces only what comes after the last colon.
    [[ $typed == *:* ]] && line="\${line#"\${typed%"\${typed##*:}"}"}"
    COMPREPLY+=("$line")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  [[ -z $files ]] || compopt -o default
}
complete -F _strata strata
`;

const zsh = `#compdef strata
# zsh completion for strata: source <(strata completion zsh)
_strata() {
  local line text
  local -a texts descriptions
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
      continue
    fi
    text="\${line%%$'\\t'*}"
    [[ -n $text ]] || continue
    texts+=("$text")
    descriptions+=("\${line/$'\\t'/  -- }")
  done
  compadd -l -d descriptions -a texts
}
compdef _strata strata
`;

const fish = `# fish completion for strata: strata completion fish | source
function __strata_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c strata -f -a '(__strata_complete)'
`;

/** The completion script of each shell. */
export const scripts: Readonly<Record<(typeof shells)[number], string>> = { bash, zsh, fish };

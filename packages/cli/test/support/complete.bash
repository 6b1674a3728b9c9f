# What bash is offered for a line that is typed up to its end.
source <(strata completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
_strata
printf '%s\n' "${COMPREPLY[@]}"

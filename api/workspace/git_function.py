"""What `git` means in a command of an agent: the program, without those that a repository's configuration names.

Which of these there are is only known in the repository: the names of filters and of kinds of files are its own. So it
is asked for them, and each is set to something that runs nothing of it. What was made with a filter that is needed then
fails instead of going on unfiltered. As a function it comes with the environment, and bash alone takes it from there.
"""

NAME = "BASH_FUNC_git%%"

BODY = r"""() {
  local word value skip= n=${GIT_CONFIG_COUNT:-0}
  local programs='^(filter\..*\.(clean|smudge|process)|diff\.external|diff\..*\.(command|textconv)|merge\..*\.driver'
  programs+='|core\.alternaterefscommand|interactive\.difffilter|gpg\.(.*\.)?program)$'
  local -a before=()
  for word in "$@"; do
    if [ -n "$skip" ]; then before+=("$word"); skip=; continue; fi
    case $word in
      -C | -c | --git-dir | --work-tree) before+=("$word"); skip=1 ;;
      -*) before+=("$word") ;;
      *) break ;;
    esac
  done
  if [ "$word" != config ]; then
    while IFS= read -r word; do
      case $word in
        '') continue ;;
        filter.*.process | gpg.* | core.* | interactive.*) value= ;;
        diff.*.textconv) value=cat ;;
        diff.*) value='f() { diff -u --label "a/$1" --label "b/$1" "$2" "$5"; true; }; f' ;;
        *) value=false ;;
      esac
      local -x "GIT_CONFIG_KEY_$n=$word" "GIT_CONFIG_VALUE_$n=$value"
      n=$((n + 1))
    done <<< "$(command git "${before[@]}" config --name-only --get-regexp "$programs" 2> /dev/null)"
    local -x GIT_CONFIG_COUNT=$n
  fi
  command git "$@"
}"""

/* SPDX-License-Identifier: Apache-2.0 */
/* The shells' side of completion, as thin as can be: tests/completion drives each in its real shell. They call
 * the oneoff of PATH, not the word on the line: pressing the tab key must not run what lies in some folder. */
#include <string.h>
#include "cmd/oneoff/completion.h"

/* clang-format off */
static const char bash_script[] =
	"# bash completion for oneoff: source <(oneoff completion bash)\n"
	"_oneoff() {\n"
	"\tlocal rest=${COMP_LINE:0:COMP_POINT} word trimmed line value kept i\n"
	"\tlocal -a words=()\n"
	"\tCOMPREPLY=()\n"
	"\t# bash cuts words at : and =; what the blanks of the line do not part belongs together\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\ttrimmed=${rest#\"${rest%%[![:space:]]*}\"}\n"
	"\t\t((i < COMP_CWORD)) || word=$trimmed\n"
	"\t\tif ((i == 0)) || [[ $trimmed != \"$rest\" ]]; then\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\telse\n"
	"\t\t\twords[${#words[@]} - 1]+=$word\n"
	"\t\tfi\n"
	"\t\trest=${trimmed#\"$word\"}\n"
	"\tdone\n"
	"\t# what stays on the line in front of the word that bash completes\n"
	"\tkept=${words[${#words[@]} - 1]%\"$2\"}\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t:files*) compopt -o default ;;\n"
	"\t\t:folders*) compopt -o dirnames ;;\n"
	"\t\t*)\n"
	"\t\t\tvalue=${line%%$'\\t'*}\n"
	"\t\t\tprintf -v value %q \"${value#\"$kept\"}\"\n"
	"\t\t\tCOMPREPLY+=(\"$value\")\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone < <(command oneoff __complete \"${words[@]:1}\" 2>/dev/null)\n"
	"\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[/:=] ]] || compopt -o nospace\n"
	"}\n"
	"complete -F _oneoff oneoff\n";

static const char zsh_script[] =
	"#compdef oneoff\n"
	"# zsh completion for oneoff: source <(oneoff completion zsh), behind compinit\n"
	"_oneoff() {\n"
	"\tlocal line value meaning kept\n"
	"\tlocal -a lines whole begun\n"
	"\tlines=(\"${(@f)$(command oneoff __complete \"${(@Q)words[2,CURRENT-1]}\" \"$PREFIX\" 2>/dev/null)}\")\n"
	"\tfor line in $lines; do\n"
	"\t\tvalue=${line%%$'\\t'*}\n"
	"\t\tmeaning=${line#\"$value\"}\n"
	"\t\tmeaning=${meaning#$'\\t'}\n"
	"\t\tcase $value in\n"
	"\t\t(:files|:folders)\n"
	"\t\t\t# the part of the word in front of the path\n"
	"\t\t\tkept=$meaning\n"
	"\t\t\t[[ -z $kept ]] || compset -P \"${(b)kept}\"\n"
	"\t\t\tif [[ $value == :files ]]; then _files; else _files -/; fi\n"
	"\t\t\treturn\n"
	"\t\t\t;;\n"
	"\t\t(*[/:=]) begun+=(\"${value//:/\\\\:}${meaning:+:$meaning}\") ;;\n"
	"\t\t(*) whole+=(\"${value//:/\\\\:}${meaning:+:$meaning}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t_describe -t oneoff oneoff whole -- begun -S ''\n"
	"}\n"
	"if [[ $funcstack[1] == _oneoff ]]; then\n"
	"\t_oneoff \"$@\"\n"
	"elif (( $+functions[compdef] )); then\n"
	"\tcompdef _oneoff oneoff\n"
	"fi\n";

static const char fish_script[] =
	"# fish completion for oneoff: oneoff completion fish | source\n"
	"function __oneoff_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -e words[1]\n"
	"\tfor line in (command oneoff __complete $words \"$current\" 2>/dev/null)\n"
	"\t\tset -l parts (string split -m 1 \\t -- $line)\n"
	"\t\tswitch $parts[1]\n"
	"\t\t\tcase ':files' ':folders'\n"
	"\t\t\t\t# the part of the word in front of the path\n"
	"\t\t\t\tset -l rest (string sub -s (math 1 + (string length -- \"$parts[2]\")) -- \"$current\")\n"
	"\t\t\t\tset -l paths (test $parts[1] = :files; and __fish_complete_path \"$rest\"; or __fish_complete_directories \"$rest\")\n"
	"\t\t\t\tfor path in $paths\n"
	"\t\t\t\t\tprintf '%s\\n' \"$parts[2]$path\"\n"
	"\t\t\t\tend\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\tprintf '%s\\n' $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c oneoff -f -a '(__oneoff_complete)'\n";

/* clang-format on */

const char *completion_script(const char *shell)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		if (!strcmp(scripts[i].shell, shell))
			return scripts[i].script;
	return NULL;
}

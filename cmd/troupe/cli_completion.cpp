// `completion bash|zsh`: a script made of the very commands and options that this program has.

#include <CLI/CLI.hpp>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

/// A command and what may stand behind it.
struct Place {
  std::string path;   ///< "troupe job run"
  std::string words;  ///< separated by blanks; ours are letters, digits and dashes
};

std::string options_of(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) words += " --" + name;
  return words;
}

void collect(const CLI::App& app, const std::string& path, const std::string& everywhere,
             std::vector<Place>& places) {
  std::string words;
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) words += (words.empty() ? "" : " ") + command->get_name();
  places.push_back({path, words + options_of(app) + (path == "troupe" ? "" : everywhere)});
  for (const CLI::App* command : commands)
    collect(*command, path + ' ' + command->get_name(), everywhere, places);
}

/// Both shells go the same way: from the first word on, each word that names a command below leads there.
void write_paths(std::ostream& out, const std::vector<Place>& places) {
  out << "    case \"$place $word\" in\n";
  for (const Place& place : places)
    if (place.path.find(' ') != std::string::npos)
      out << "      '" << place.path << "') place=\"$place $word\" ;;\n";
  out << "    esac\n";
}

void write_words(std::ostream& out, const std::vector<Place>& places) {
  out << "  case \"$place\" in\n";
  for (const Place& place : places) out << "    '" << place.path << "') list='" << place.words << "' ;;\n";
  out << "  esac\n";
}

void write_bash(std::ostream& out, const std::vector<Place>& places) {
  out << "# Written by: troupe completion bash\n_troupe() {\n"
         "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" place=troupe word list=\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n";
  write_paths(out, places);
  out << "  done\n";
  write_words(out, places);
  out << "  COMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n}\ncomplete -o default -F _troupe troupe\n";
}

void write_zsh(std::ostream& out, const std::vector<Place>& places) {
  out << "#compdef troupe\n# Written by: troupe completion zsh\n_troupe() {\n"
         "  local place=troupe word list=\n"
         "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n";
  write_paths(out, places);
  out << "  done\n";
  write_words(out, places);
  // As a file of fpath this is the body of _troupe, which the first use runs: that one is answered, too.
  out << "  compadd -- ${=list} || _files\n}\n"
         "if [[ $funcstack[1] = _troupe ]]; then\n  _troupe \"$@\"\nelse\n  compdef _troupe troupe\nfi\n";
}

}  // namespace

void add_completion_options(CLI::App& app, Context& context) {
  auto* sub =
      app.add_subcommand("completion", "Print a script that lets a shell complete commands and options");
  auto shell = std::make_shared<std::string>();
  sub->add_option("shell", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  sub->footer(
      "Examples:\n  source <(troupe completion bash)\n"
      "  troupe completion zsh > ~/.zfunc/_troupe    # a folder of your fpath");
  sub->callback([shell, &app, &context] {
    std::vector<Place> places;
    collect(app, "troupe", options_of(app), places);
    *shell == "bash" ? write_bash(context.io.out, places) : write_zsh(context.io.out, places);
    finish_with(exit_ok);
  });
}

}  // namespace troupe::cli

using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>The commands that a line names, word by word.</summary>
/// <remarks>
/// The parser passes over a word that it does not know, and takes the next that it knows: "create volume" is "volume" to it.
/// </remarks>
/// <param name="Commands">Without the root.</param>
/// <param name="WrongAt">The place of the word that should have been a command; null where there is none.</param>
sealed record CommandPath(IReadOnlyList<Command> Commands, int? WrongAt)
{
    public static CommandPath Of(RootCommand root, IReadOnlyList<string> words)
    {
        var path = new List<Command>();
        Command command = root;
        for (var i = 0; i < words.Count && command is not Verb; i++)
        {
            if (words[i] is ['-', ..])
            {
                // Before a verb only the options of the root are known; what is wrong with others is another matter.
                if (Find(root, words[i]) is not { } option) break;
                if (option.Arity.MinimumNumberOfValues > 0 && !words[i].Contains('=', StringComparison.Ordinal)) i++;
                continue;
            }
            if (command.Subcommands.FirstOrDefault(sub => IsNamed(sub, words[i])) is not { } known) return new(path, i);
            command = known;
            path.Add(known);
        }
        return new(path, null);
    }

    /// <summary>"ashlar volume".</summary>
    public string Name => string.Join(' ', Commands.Select(command => command.Name).Prepend(ProgramName.Installed));

    public static bool IsNamed(Command command, string word) => command.Name == word || command.Aliases.Contains(word);

    static Option? Find(RootCommand root, string word)
    {
        var name = word.Split('=')[0];
        return root.Options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));
    }
}

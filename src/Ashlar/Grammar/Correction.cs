using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>The command line that somebody meant: nouns and verbs in the wrong order, with other programs' names, or with typos.</summary>
static class Correction
{
    const string LikeliestNoun = "volume";
    const int MostCorrections = 4;

    /// <summary>The words that were meant; null when that cannot be told.</summary>
    public static IReadOnlyList<string>? Of(RootCommand root, IReadOnlyList<string> words)
    {
        var line = words.ToList();
        for (var made = 0; made < MostCorrections; made++)
        {
            var path = CommandPath.Of(root, line);
            if (path.WrongAt is not { } at) return made == 0 ? null : line;
            if (path.Commands is [.., var noun] ? CorrectVerb(noun, line, at) : CorrectCommand(root, line, at)) continue;
            // What is right so far has a help of its own.
            return made == 0 ? null : [.. line[..at], "--help"];
        }
        return null;
    }

    static bool CorrectCommand(RootCommand root, List<string> line, int at)
    {
        var word = line[at];
        var rest = Operands(line, at).ToArray();
        if (Vocabulary.CommandFor(word, isAlone: rest.Length == 0) is { } command)
        {
            line[at] = command;
            return true;
        }
        // "create volume vm1"
        foreach (var next in rest)
        {
            if (NounFor(root, line[next]) is not { } noun) continue;
            if (VerbFor(noun, word, hasOperand: rest.Length > 1) is not { } verb) return false;
            (line[at], line[next]) = (noun.Name, verb);
            return true;
        }
        // "delete vm1"
        var likeliest = root.Subcommands.Single(sub => sub.Name == LikeliestNoun);
        if (VerbFor(likeliest, word, rest.Length > 0) is { } only)
        {
            line[at] = only;
            line.Insert(at, likeliest.Name);
            return true;
        }
        return Replace(line, at, NearestCommand(root, word));
    }

    static bool CorrectVerb(Command noun, List<string> line, int at)
    {
        var rest = Operands(line, at).ToArray();
        if (VerbFor(noun, line[at], rest.Length > 0) is { } verb) return Replace(line, at, verb);
        // "volume vm1 show"
        if (rest is [var next, ..] && VerbFor(noun, line[next], hasOperand: true) is { } later)
        {
            (line[at], line[next]) = (later, line[at]);
            return true;
        }
        return Replace(line, at, NearestCommand(noun, line[at]));
    }

    static Noun? NounFor(RootCommand root, string word) => root.Subcommands.OfType<Noun>()
        .FirstOrDefault(noun => CommandPath.IsNamed(noun, word) || Vocabulary.CommandFor(word, isAlone: false) == noun.Name);

    static string? VerbFor(Command noun, string word, bool hasOperand)
    {
        var verbs = noun.Subcommands.Where(verb => !verb.Hidden).ToArray();
        if (verbs.FirstOrDefault(verb => CommandPath.IsNamed(verb, word)) is { } known) return known.Name;
        var meanings = Vocabulary.VerbsFor(word).Where(meaning => verbs.Any(verb => verb.Name == meaning)).ToList();
        // "volume info" without a name asks for all of them.
        if (meanings is ["show", ..] && !hasOperand && verbs.Any(verb => verb.Name == "list")) return "list";
        return meanings.FirstOrDefault();
    }

    static string? NearestCommand(Command command, string word) => Suggestions.Nearest(
        word, command.Subcommands.Where(sub => !sub.Hidden).SelectMany(sub => sub.Aliases.Append(sub.Name)));

    static bool Replace(List<string> line, int at, string? word)
    {
        if (word is null) return false;
        line[at] = word;
        return true;
    }

    /// <summary>Where the words stand that follow and are no options.</summary>
    static IEnumerable<int> Operands(List<string> line, int at) =>
        Enumerable.Range(at + 1, line.Count - at - 1).Where(i => line[i] is not ['-', ..]);
}

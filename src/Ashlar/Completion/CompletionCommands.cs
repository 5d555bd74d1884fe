using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar completion</c> prints scripts for shells; they ask <c>ashlar __complete</c> at each press of the key.</summary>
static class CompletionCommands
{
    public static Verb CreateScript()
    {
        var shell = new Argument<string>("SHELL")
        {
            Description = $"{string.Join(", ", CompletionScripts.Shells)}",
            CustomParser = result =>
            {
                var name = result.Tokens[0].Value;
                if (!CompletionScripts.Shells.Contains(name, StringComparer.Ordinal))
                    result.AddError($"'{name}' is not a shell with completion: expected {string.Join(", ", CompletionScripts.Shells)}");
                return name;
            },
        };
        shell.CompletionSources.Add([.. CompletionScripts.Shells]);
        return new Verb(
            "completion",
            "Print the script by which a shell completes command lines",
            ["ashlar completion bash", "ashlar completion zsh", "ashlar completion fish"],
            invocation =>
            {
                invocation.Terminal.Out.Write(CompletionScripts.Of(invocation.Get(shell)));
                return ExitCode.Ok;
            },
            ServerUse.None)
        { shell };
    }

    /// <summary>
    /// Prints a line for each word that may stand last, with a tab and what it means; then <c>:files</c>, <c>:directories</c> or
    /// <c>:none</c>: what the shell is to complete itself.
    /// </summary>
    public static Verb CreateComplete(RootCommand root, GlobalOptions global)
    {
        var words = new Argument<string[]>("WORD")
        {
            Description = "The words so far; the last is being typed",
            Arity = ArgumentArity.ZeroOrMore,
        };
        return new Verb(
            "__complete",
            "Print what may stand at the end of a command line, for the scripts of shells",
            ["ashlar __complete -- volume ''"],
            async (invocation, cancellationToken) =>
            {
                var all = invocation.Get(words).Select(word => WithHome(word, invocation.Terminal)).ToArray();
                var names = new ServerNames(global, invocation.Terminal, cancellationToken);
                var finder = new CompletionFinder(root, (parsed, placeholder) => placeholder == KeyValueArguments.KeyspacePlaceholder
                    ? Task.FromResult(KeyspaceNames.Find(parsed))
                    : names.FindAsync(parsed, placeholder));
                var found = await finder.FindAsync(all is [] ? [] : all[..^1], all is [.., var last] ? last : "");
                foreach (var (word, meaning) in found.Words)
                    invocation.Terminal.Out.WriteLine(meaning.Length == 0 ? word : $"{word}\t{meaning}");
                invocation.Terminal.Out.WriteLine($":{found.Files.ToString().ToLowerInvariant()}");
                return ExitCode.Ok;
            },
            ServerUse.None,
            isHidden: true)
        { words };
    }

    // Shells hand over words as they are typed, before they expand them.
    static string WithHome(string word, Terminal terminal) =>
        word.StartsWith("~/", StringComparison.Ordinal) && terminal.Environment("HOME") is { } home ? $"{home}{word[1..]}" : word;
}

using System.Text.Json;
using Ashlar.CommandLine;
using Ashlar.Simulation;

namespace Ashlar.Server.Tests;

/// <summary>What one call of the program left behind.</summary>
sealed record Outcome(int ExitCode, string Out, string Error)
{
    public JsonElement OutJson => JsonDocument.Parse(Out).RootElement;

    public JsonElement ErrorJson => JsonDocument.Parse(Error).RootElement;
}

/// <summary>Calls the program within this process, with streams and an environment of the test's own.</summary>
static class CalledProgram
{
    public static Task<Outcome> RunAsync(params string[] words) => RunAsync(new Dictionary<string, string>(), "", words);

    /// <param name="environment">All there is.</param>
    /// <param name="typed">What somebody types at a terminal; nobody is there when empty.</param>
    /// <param name="words">The command line, without the program.</param>
    public static Task<Outcome> RunAsync(IReadOnlyDictionary<string, string> environment, string typed, params string[] words) =>
        RunAsync(environment, typed, TimeProvider.System, words);

    public static async Task<Outcome> RunAsync(
        IReadOnlyDictionary<string, string> environment, string typed, TimeProvider time, string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = Terminal(output, error, environment, typed, time);
        var exitCode = await AshlarProgram.RunAsync(words, terminal, CancellationToken.None);
        return new((int)exitCode, output.ToString(), error.ToString());
    }

    public static Terminal Terminal(
        TextWriter output,
        TextWriter error,
        IReadOnlyDictionary<string, string>? environment = null,
        string typed = "",
        TimeProvider? time = null) => new()
        {
            Out = output,
            Error = error,
            In = new StringReader(typed),
            InIsTerminal = typed.Length > 0,
            ErrorIsTerminal = typed.Length > 0,
            Environment = name => environment is not null && environment.TryGetValue(name, out var value) ? value : null,
            TimeProvider = time ?? TimeProvider.System,
            Entropy = new SeededEntropy(1),
        };
}

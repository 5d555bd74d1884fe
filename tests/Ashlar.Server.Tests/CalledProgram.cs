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

/// <summary>What a call of the program finds around it.</summary>
sealed record Surroundings
{
    /// <summary>All there is.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What somebody types at a terminal; nobody is there when empty.</summary>
    public string Typed { get; init; } = "";

    /// <summary>Somebody at the terminal who does more than to type; instead of <see cref="Typed"/>.</summary>
    public TextReader? In { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How the program was started.</summary>
    public string Program { get; init; } = "ashlar";

    /// <summary>Where bytes go that are not for people; null for nowhere.</summary>
    public Stream? Output { get; init; }

    /// <summary>Columns of the terminal that the output goes to; null when it goes elsewhere.</summary>
    public int? Width { get; init; }
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

    public static Task<Outcome> RunAsync(
        IReadOnlyDictionary<string, string> environment, string typed, TimeProvider time, string[] words) =>
        RunAsync(new Surroundings { Environment = environment, Typed = typed, Time = time }, words);

    public static async Task<Outcome> RunAsync(Surroundings surroundings, params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = Terminal(output, error, surroundings);
        var exitCode = await AshlarProgram.RunAsync(words, terminal, CancellationToken.None);
        return new((int)exitCode, output.ToString(), error.ToString());
    }

    public static Terminal Terminal(TextWriter output, TextWriter error, Surroundings? surroundings = null)
    {
        var around = surroundings ?? new();
        return new()
        {
            Out = output,
            Error = error,
            In = around.In ?? new StringReader(around.Typed),
            InIsTerminal = around.Typed.Length > 0 || around.In is not null,
            ErrorIsTerminal = around.Typed.Length > 0 || around.In is not null,
            OutIsTerminal = around.Width is not null,
            Width = around.Width,
            OpenOut = () => around.Output ?? Stream.Null,
            FindProgram = () => around.Program,
            Environment = name => around.Environment.TryGetValue(name, out var value) ? value : null,
            TimeProvider = around.Time,
            Entropy = new SeededEntropy(1),
        };
    }
}

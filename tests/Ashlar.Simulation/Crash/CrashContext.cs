using System.Globalization;

namespace Ashlar.Simulation;

/// <summary>What a second crash inherits from the first.</summary>
/// <param name="Depth">1 for a first crash.</param>
/// <param name="Replay">Names the state that the first crash left.</param>
/// <param name="Marks">What had been said by then.</param>
/// <param name="First">The first crash, in words.</param>
/// <param name="Seed">The seed that a replay of both begins with.</param>
sealed record CrashContext(int Depth, string? Replay, IReadOnlyList<object>? Marks, string? First, ulong? Seed)
{
    public static CrashContext None { get; } = new(1, null, null, null, null);

    /// <summary>Names a state: event count and number of the state there, after those of the first crash.</summary>
    public string ReplayText(int eventCount, int number)
    {
        var own = string.Create(CultureInfo.InvariantCulture, $"{eventCount}/{number}");
        return Replay is null ? own : $"{Replay}/{own}";
    }

    /// <summary>Whether a state is the wanted one, or the first crash of it.</summary>
    public bool Leads(string replay, string wanted) =>
        wanted == replay || (Depth == 1 && wanted.StartsWith($"{replay}/", StringComparison.Ordinal));

    public string Describe(string second) =>
        First is null ? second : $"First crash: {First}{Environment.NewLine}Then, while recovering, a second: {second}";
}

using System.Diagnostics;

namespace Ashlar.TestKit;

/// <summary>Waits for what must come, and says what did not: a test that would wait for ever fails instead.</summary>
public static class Waiting
{
    /// <summary>After this nothing comes any more, however slow the machine is.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(1);

    /// <summary>Until a condition holds.</summary>
    /// <param name="isSo">The condition.</param>
    /// <param name="what">In words.</param>
    public static Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(begun) > Limit) throw new TimeoutException($"within {Limit}: {what}");
            await Task.Delay(1);
        }
    }
}

namespace Ashlar.Files;

/// <summary>
/// Lets so many bytes through in a second, so that clients come first. What is not used is kept for a second at most. Any thread.
/// </summary>
/// <param name="bytesPerSecond">How many; 0 for as many as there are.</param>
/// <param name="clock">What time passes.</param>
public sealed class TokenBucket(long bytesPerSecond, TimeProvider? clock = null)
{
    readonly TimeProvider clock = clock ?? TimeProvider.System;
    readonly Lock gate = new();
    long filledAt = (clock ?? TimeProvider.System).GetTimestamp();
    double tokens = bytesPerSecond;

    /// <summary>Waits until so many bytes may pass.</summary>
    public async ValueTask TakeAsync(int bytes, CancellationToken cancellationToken = default)
    {
        if (bytesPerSecond <= 0) return;
        double debt;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            tokens = Math.Min(bytesPerSecond, tokens + (clock.GetElapsedTime(filledAt, now).TotalSeconds * bytesPerSecond)) - bytes;
            filledAt = now;
            debt = -tokens;
        }

        // More than there were: the debt is waited for, and whoever comes next finds nothing left of it.
        if (debt > 0) await Task.Delay(TimeSpan.FromSeconds(debt / bytesPerSecond), clock, cancellationToken);
    }
}

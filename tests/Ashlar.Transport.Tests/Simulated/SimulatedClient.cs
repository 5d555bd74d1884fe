using Ashlar.Simulation;

namespace Ashlar.Transport.Tests.Simulated;

/// <summary>
/// A client in the place of a socket, on a simulated clock: it sends what it has to send and takes what comes, each at a pace of its own.
/// Whoever waits for it moves the clock, so one thread plays a session to its end, and hours cost nothing.
/// </summary>
/// <param name="clock">The clock that the server's deadlines go by.</param>
/// <param name="script">What it sends.</param>
sealed class SimulatedClient(SimulatedClock clock, ReadOnlyMemory<byte> script) : IWire
{
    readonly TimeSpan patienceEndsAt = clock.Elapsed + TimeSpan.FromDays(1);
    readonly List<byte> kept = [];
    long taken;
    long sent;
    TimeSpan? nextByteAt;
    TimeSpan? takesSince;
    long takenSlowly;
    bool hasStalled;

    /// <summary>How many bytes it sends as fast as they are wanted.</summary>
    public long QuickBytes { get; init; } = long.MaxValue;

    /// <summary>The time between two of its further bytes; null when none follows.</summary>
    public TimeSpan? SendInterval { get; init; }

    /// <summary>How many zeros follow the script.</summary>
    public long Zeros { get; init; }

    /// <summary>Whether it closes when it has sent everything; else it stays silent.</summary>
    public bool Closes { get; init; }

    /// <summary>How many bytes it takes as fast as they come: what the buffers of the kernel hold, say.</summary>
    public long QuickTakes { get; init; } = long.MaxValue;

    /// <summary>The time in which it takes one more; null when it takes none.</summary>
    public TimeSpan? TakeInterval { get; init; }

    /// <summary>Called when the server first waits for it.</summary>
    public Action? OnStall { get; init; }

    /// <summary>Called whenever the server wants something of it.</summary>
    public Action? Observe { get; init; }

    /// <summary>How many of the bytes that it takes it keeps.</summary>
    public long MostKept { get; init; } = long.MaxValue;

    /// <summary>What it has taken and kept.</summary>
    public byte[] Taken => [.. kept];

    /// <summary>Whether the server put up with it for a day; it has closed then.</summary>
    public bool HasGivenUp { get; private set; }

    /// <summary>When the server cut it off or said goodbye.</summary>
    public TimeSpan? EndedAt { get; private set; }

    public bool HasInput => sent < Math.Min(QuickBytes, script.Length + Zeros);

    public int Receive(Span<byte> destination, int timeoutMilliseconds)
    {
        Observe?.Invoke();
        if (EndedAt is not null && HasGivenUp) return 0;
        if (HasInput) return Take(destination, Math.Min(QuickBytes, script.Length + Zeros) - sent);
        if (sent == script.Length + Zeros && Closes) return 0;
        if (sent == script.Length + Zeros || SendInterval is not { } interval) return Silence(timeoutMilliseconds);
        nextByteAt ??= clock.Elapsed + interval;
        if (!WaitFor(nextByteAt.Value, timeoutMilliseconds)) return HasGivenUp ? 0 : IWire.TimedOut;
        nextByteAt += interval;
        return Take(destination, 1);
    }

    public int TrySend(ReadOnlySpan<byte> data)
    {
        Observe?.Invoke();
        if (HasGivenUp) throw new WireException("the client has left");
        takesSince ??= clock.Elapsed;
        var quickly = QuickTakes - taken + takenSlowly;
        var slowly = TakeInterval is { } interval ? (long)((clock.Elapsed - takesSince.Value) / interval) - takenSlowly : 0;
        var count = (int)Math.Min(quickly + slowly, data.Length);
        takenSlowly += Math.Max(0, count - quickly);
        taken += count;
        kept.AddRange(data[..(int)Math.Min(count, MostKept - kept.Count)]);
        return count;
    }

    public bool WaitUntilSendable(int timeoutMilliseconds)
    {
        Observe?.Invoke();
        if (TakeInterval is { } interval) return WaitFor(takesSince!.Value + ((takenSlowly + 1) * interval), timeoutMilliseconds);
        Silence(timeoutMilliseconds);
        return false;
    }

    public void AcknowledgeNow()
    {
    }

    public void EndInput() => End();

    public void EndOutput() => End();

    public void Dispose() => End();

    int Take(Span<byte> destination, long available)
    {
        var count = (int)Math.Min(destination.Length, available);
        destination[..count].Clear();
        if (sent < script.Length)
        {
            count = (int)Math.Min(count, script.Length - sent);
            script.Span.Slice((int)sent, count).CopyTo(destination);
        }
        sent += count;
        return count;
    }

    int Silence(int timeoutMilliseconds)
    {
        Wait(clock.Elapsed + TimeSpan.FromMilliseconds(timeoutMilliseconds));
        return HasGivenUp ? 0 : IWire.TimedOut;
    }

    bool WaitFor(TimeSpan moment, int timeoutMilliseconds)
    {
        var end = clock.Elapsed + TimeSpan.FromMilliseconds(timeoutMilliseconds);
        Wait(moment < end ? moment : end);
        return moment <= end && !HasGivenUp;
    }

    // Time that passes while others have their turn has passed for this one too.
    void Wait(TimeSpan until)
    {
        if (!hasStalled)
        {
            hasStalled = true;
            OnStall?.Invoke();
        }
        if (until > clock.Elapsed) clock.Advance((until < patienceEndsAt ? until : patienceEndsAt) - clock.Elapsed);
        HasGivenUp |= clock.Elapsed >= patienceEndsAt;
        if (HasGivenUp) End();
    }

    void End() => EndedAt ??= clock.Elapsed;
}

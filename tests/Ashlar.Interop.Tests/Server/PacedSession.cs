using System.Diagnostics;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// A client that works all the time, a block at a time and never as fast as it could, and notes how long each answer took.
/// </summary>
sealed class PacedSession : IDisposable
{
    const int BlockBytes = 4096, Blocks = 64;

    // Between two requests, so that what is measured is the time of an answer and not what two processors can do.
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    readonly IBlockClient client;
    readonly long firstByte;
    readonly Thread thread;
    readonly Lock gate = new();
    List<double> milliseconds = [];
    Exception? failure;
    volatile bool isEnding;

    /// <summary>Begins to work.</summary>
    /// <param name="client">Which is the session's from here on.</param>
    /// <param name="firstByte">Of its own part of the volume.</param>
    public PacedSession(IBlockClient client, long firstByte)
    {
        (this.client, this.firstByte) = (client, firstByte);
        thread = new Thread(Work) { IsBackground = true };
        thread.Start();
    }

    /// <summary>How long answers have taken since the last call.</summary>
    public AnswerTimes Take()
    {
        lock (gate)
        {
            if (failure is not null) throw new InvalidOperationException("a session that works was disturbed", failure);
            var taken = milliseconds;
            milliseconds = [];
            return AnswerTimes.Of(taken);
        }
    }

    /// <summary>Waits until so many requests have been answered since the last call of <see cref="Take"/>.</summary>
    public void WaitForAnswers(int count)
    {
        Assert.True(SpinWait.SpinUntil(IsThrough, TimeSpan.FromMinutes(2)), "a session that works is answered no more");

        bool IsThrough()
        {
            lock (gate) return failure is not null || milliseconds.Count >= count;
        }
    }

    public void Dispose()
    {
        isEnding = true;
        thread.Join();
        client.Dispose();
    }

    void Work()
    {
        try
        {
            var data = new SeededRandom((ulong)firstByte).Bytes(BlockBytes);
            var found = new byte[BlockBytes];
            for (var i = 0; !isEnding; i++)
            {
                var at = firstByte + (i % Blocks * BlockBytes);
                data[0] = (byte)i;
                Time(() => client.Write(at, data, forceUnitAccess: false));
                Time(() => client.Read(at, found));
                if (!data.AsSpan().SequenceEqual(found)) throw new InvalidDataException($"other data at {at}");
                Thread.Sleep(Pause);
            }
        }
        catch (Exception e)
        {
            lock (gate) failure = e;
        }
    }

    void Time(Action request)
    {
        var begun = Stopwatch.GetTimestamp();
        request();
        var taken = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        lock (gate) milliseconds.Add(taken);
    }
}

/// <summary>How long answers took.</summary>
/// <param name="Count">Of requests.</param>
/// <param name="Median">In milliseconds.</param>
/// <param name="P99">In milliseconds.</param>
/// <param name="Longest">In milliseconds.</param>
sealed record AnswerTimes(int Count, double Median, double P99, double Longest)
{
    public static AnswerTimes Of(List<double> milliseconds)
    {
        if (milliseconds.Count == 0) return new(0, 0, 0, 0);
        var sorted = milliseconds.Order().ToArray();
        return new(sorted.Length, Round(sorted[sorted.Length / 2]), Round(sorted[sorted.Length * 99 / 100]), Round(sorted[^1]));
    }

    static double Round(double value) => Math.Round(value, 3);
}

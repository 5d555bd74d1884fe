using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The log: a line for what an operator wants to know. Requests of clients are counted, not logged. Whoever has something to tell waits for
/// nobody: lines are written by a thread of the log's own, however slowly they are taken off.
/// </summary>
/// <remarks>What waits is bounded. A line that finds no room is counted, and in its place the reader gets how many there were.</remarks>
public sealed class ServerLog : IDisposable
{
    const int MaxWaiting = 4096;

    // Of a reader that takes nothing off the stop is not to wait for ever.
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    readonly TextWriter writer;
    readonly TimeProvider timeProvider;
    readonly LogLevel level;
    readonly LogFormat format;
    readonly object gate = new(); // A monitor: it is waited on.
    readonly Queue<string> waiting = new();
    readonly Thread thread;
    readonly long[] told = new long[(int)LogLevel.None];
    long added, written;
    int leftOut;
    bool isEnding;

    /// <summary>Begins a log.</summary>
    /// <param name="writer">Where lines go.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="level">What matters less is not written.</param>
    /// <param name="format">How lines are written.</param>
    public ServerLog(
        TextWriter writer, TimeProvider timeProvider, LogLevel level = LogLevel.Information, LogFormat format = LogFormat.Text)
    {
        (this.writer, this.timeProvider, this.level, this.format) = (writer, timeProvider, level, format);
        thread = new Thread(WriteLines) { IsBackground = true, Name = "ashlar-log" };
        thread.Start();
    }

    /// <summary>Whether entries of the level are written.</summary>
    public bool Writes(LogLevel entryLevel) => entryLevel >= level;

    /// <summary>Entries of a level since the start, written or not.</summary>
    public long Count(LogLevel entryLevel) => Interlocked.Read(ref told[(int)entryLevel]);

    /// <summary>Has an entry written; returns at once.</summary>
    public void Write(LogEntry entry)
    {
        Interlocked.Increment(ref told[(int)entry.Level]);
        if (!Writes(entry.Level)) return;
        var line = Format(entry);
        lock (gate)
        {
            if (isEnding) return;
            if (waiting.Count >= MaxWaiting)
            {
                leftOut++;
                return;
            }

            if (leftOut > 0) Enqueue(TakeLeftOut()); // It is older.
            Enqueue(line);
        }
    }

    /// <summary>Waits until everything is written that was told before the call, but not for ever.</summary>
    public void Flush()
    {
        var waited = Stopwatch.StartNew(); // Not by the clock of the lines, which tests stop.
        lock (gate)
        {
            var last = added;
            while (written < last && waited.Elapsed < LongestWait) Monitor.Wait(gate, LongestWait);
        }
    }

    /// <summary>The same, and takes no more.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isEnding) return;
            if (leftOut > 0) Enqueue(TakeLeftOut());
            isEnding = true;
            Monitor.PulseAll(gate);
        }

        thread.Join(LongestWait);
    }

    string Format(LogEntry entry) => LogLine.Format(entry, timeProvider.GetUtcNow(), format);

    void Enqueue(string line)
    {
        waiting.Enqueue(line);
        added++;
        Monitor.PulseAll(gate);
    }

    string TakeLeftOut()
    {
        var entry = new LogEntry(
            LogLevel.Warning, LogEvents.LinesLeftOut, $"log: {leftOut} lines were left out, because {MaxWaiting} waited to be written");
        leftOut = 0;
        return Format(entry);
    }

    void WriteLines()
    {
        while (TryTake(out var line))
        {
            Write(line);
            lock (gate)
            {
                written++;
                Invariant.Require(written <= added); // Or whoever waits for his line goes on without it.
                Monitor.PulseAll(gate);
            }
        }
    }

    bool TryTake([NotNullWhen(true)] out string? line)
    {
        lock (gate)
        {
            while (waiting.Count == 0 && leftOut == 0 && !isEnding) Monitor.Wait(gate);
            if (waiting.TryDequeue(out line)) return true;
            if (leftOut == 0) return false;
            line = TakeLeftOut();
            added++;
            return true;
        }
    }

    void Write(string line)
    {
        try
        {
            writer.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Nobody reads the log any more; that is no reason to stop serving.
        }
    }
}

using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>The writer was told that its write is durable.</summary>
sealed record Acknowledged(string Key);

/// <summary>
/// Two writers on threads of their own whose flushes of the log are both under way before either returns, always in the same
/// order of events.
/// </summary>
sealed class OverlappingWrites : IDisposable
{
    // Nothing here takes longer than moments, unless it hangs.
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    readonly SemaphoreSlim began = new(0);
    readonly SemaphoreSlim[] mayReturn = [new(0), new(0)];
    int syncs;

    public OverlappingWrites()
    {
        Store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(Disk) with { MaxInFlightSyncs = 2, MemTableBytes = 1 << 20 });
        Store.Put("base", "0");
        Disk.Mark(new Acknowledged("base"));
    }

    public SimulatedFileSystem Disk { get; } = new();

    public KeyValueStore Store { get; }

    public Exception?[] Outcomes { get; } = new Exception?[2];

    /// <summary>The flush that fails, and with it goes what it was for: 0 or 1; null if none does.</summary>
    public int? FailingFlush { get; init; }

    /// <summary>Keys in order.</summary>
    public static string KeysOf(KeyValueStore store) =>
        string.Join(' ', store.ReadAll().Split(' ').Select(entry => entry.Split('=')[0]));

    /// <summary>Writes "first" and "second"; the flush of one of them returns before that of the other.</summary>
    public async Task RunTwo(int returnFirst)
    {
        Disk.DuringSync = _ =>
        {
            var mine = Interlocked.Increment(ref syncs) - 1;
            began.Release();
            mayReturn[mine].Wait();
            if (mine == FailingFlush) Lose(mine == 0 ? "first" : "second");
        };
        var writers = new Task[2];
        for (var i = 0; i < 2; i++)
        {
            var (number, key) = (i, i == 0 ? "first" : "second");
            writers[i] = Task.Factory.StartNew(
                () => Write(number, key), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await Task.WhenAny(began.WaitAsync(), writers[i]);
        }

        var before = Store.GetStatistics().Syncs;
        mayReturn[returnFirst].Release();
        await Task.WhenAny(writers[returnFirst], WaitUntilReturned(before)).WaitAsync(Longest);
        mayReturn[1 - returnFirst].Release();
        await Task.WhenAll(writers).WaitAsync(Longest);
        Disk.DuringSync = null;
    }

    public void Dispose()
    {
        Store.Dispose();
        began.Dispose();
        foreach (var gate in mayReturn) gate.Dispose();
    }

    // The first to return is acknowledged at once, or waits for the other: its sync is in the trace either way.
    async Task WaitUntilReturned(long before)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (Store.GetStatistics().Syncs == before && !Outcomes.Any(outcome => outcome is not null))
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Longest) throw new TimeoutException("A flush that may return does not.");
            await Task.Yield();
        }
    }

    // The group's first bytes become what the medium held before, and stay so whatever is synced later.
    void Lose(string key)
    {
        Disk.DuringSync = null;
        var name = Disk.List(TestStore.Directory).Single(file => file.StartsWith("log-", StringComparison.Ordinal));
        using var log = Disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
        var content = new byte[log.LengthBytes];
        log.Read(content, 0);
        var entry = content.AsSpan().IndexOf(TestStore.Bytes(key)) - LogEntry.HeaderBytes - LogGroupHeader.SizeBytes;
        log.Write(new byte[LogGroupHeader.SizeBytes], entry);
        log.Sync();
        throw StorageException.FromErrno("fdatasync", name, Errno.InputOutput, "planted fault");
    }

    void Write(int number, string key)
    {
        try
        {
            Store.Put(key, new string('x', 1500)); // Sectors of its own.
            Disk.Mark(new Acknowledged(key));
        }
        catch (Exception outcome)
        {
            Outcomes[number] = outcome;
        }
    }
}

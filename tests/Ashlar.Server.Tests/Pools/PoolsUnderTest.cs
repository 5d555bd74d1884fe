using System.Collections.Concurrent;
using Ashlar.Blocks;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Pools;

/// <summary>Pools of a server on a simulated disk, that can be closed, killed, and opened again, also by another machine.</summary>
sealed class PoolsUnderTest : IAsyncDisposable
{
    public const long Mebibyte = 1 << 20;

    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    readonly DataDirectory directory;
    readonly SimulatedClock clock;

    PoolsUnderTest(DataDirectory directory, ServedPools pools, SimulatedClock clock, ConcurrentQueue<string> log) =>
        (this.directory, Pools, this.clock, Log) = (directory, pools, clock, log);

    public ServedPools Pools { get; }

    /// <summary>Lines of the log.</summary>
    public ConcurrentQueue<string> Log { get; }

    /// <summary>Opens what the data directory remembers; nothing, and no pool, where it is new.</summary>
    public static async Task<PoolsUnderTest> OpenAsync(
        IFileSystem disk, string data = "/data", int host = 1, ulong seed = 1, bool isKilled = false)
    {
        var clock = new SimulatedClock();
        var options = new ServerOptions
        {
            DataDirectory = data,
            FileSystem = disk,
            TimeProvider = clock,
            Entropy = new SeededEntropy(seed),
            Host = new PoolHost(new Guid(host, 0, 0, new byte[8]), $"host{host}"),
        };
        var directory = DataDirectory.Open(options);
        directory.Keep();
        if (directory.IsNew)
        {
            directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
            await PoolFiles.FormatAsync(directory.PoolPath("main"), "main", Mebibyte, options);
            new PoolRegistry(disk, directory.SystemPath).Install(PoolRegistry.Main(options.Entropy));
            directory.CompleteFirstStart();
        }
        var log = new ConcurrentQueue<string>();
        var pools = await ServedPools.OpenAsync(directory, options, new(_ => { }, clock), entry => log.Enqueue(entry.Message));
        return new(directory, pools, clock, log);
    }

    public Ashlar.Api.Pool Show(string name) => Resources.Pool(Pools.GetEntry(name));

    /// <summary>What each device of a RAID set is: "/a in-sync 0".</summary>
    public IReadOnlyList<string> States(string name) =>
        [.. Show(name).Devices.Select(each => $"{each.Path} {each.State} {each.Place}".TrimEnd())];

    /// <summary>Lets time pass until something holds.</summary>
    public async Task UntilAsync(Func<bool> holds, string what)
    {
        var end = DateTime.UtcNow + LongestWait;
        while (!holds())
        {
            if (DateTime.UtcNow > end) Assert.Fail($"it did not come to: {what}\n{string.Join('\n', Log)}");
            clock.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(5);
        }
    }

    public async Task WriteAsync(string pool, string volume, byte[] content)
    {
        if (Pools.Get(pool).Find(volume) is null)
            await Pools.Get(pool).CreateAsync(new() { Name = volume, SizeBytes = Math.Max(Mebibyte, content.Length) });
        using var session = Attach(pool, volume);
        await session.WriteAsync(0, content);
        await session.FlushAsync();
    }

    public async Task<byte[]> ReadAsync(string pool, string volume, int length)
    {
        using var session = Attach(pool, volume);
        var found = new byte[length];
        await session.ReadAsync(0, found);
        return found;
    }

    /// <summary>What the scrub of a pool finds wrong.</summary>
    public async Task<TaskProgress> ScrubAsync(string pool)
    {
        var entry = Pools.GetEntry(pool);
        var work = entry.Served!.CreateScrub(entry.Devices.Raid);
        var running = work.RunAsync(new TaskContext(clock, null));
        await UntilAsync(() => running.IsCompleted, "the end of the scrub");
        await running;
        return work.Progress;
    }

    public async ValueTask DisposeAsync()
    {
        var closing = Pools.DisposeAsync().AsTask();
        await UntilAsync(() => closing.IsCompleted, "the end");
        directory.Dispose();
        await closing;
    }

    ClientSession Attach(string pool, string volume)
    {
        Assert.True(Pools.Get(pool).TryAttach(volume, new(ClientProtocol.Nbd, "me", "me"), out _, out var session));
        return session;
    }
}

using Ashlar.KeyValue.Extensions.Logging;
using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Extensions.Tests;

public sealed class LogTests
{
    readonly RecordedLog log = new();

    [Fact]
    public void Numbers_of_events_do_not_change()
    {
        var found = typeof(KeyValueLog).GetMethods()
            .SelectMany(method => method.GetCustomAttributes(typeof(LoggerMessageAttribute), inherit: false))
            .Cast<LoggerMessageAttribute>()
            .OrderBy(message => message.EventId)
            .Select(message => $"{message.EventId} {message.EventName} {message.Level}");
        Assert.Equal(
            [
                "1000 Opened Information", "1001 Recovered Warning", "1002 Closed Information", "1003 ClosedInDoubt Error",
                "1010 Poisoned Critical", "1020 BackgroundFailed Warning", "1021 BackgroundGoesOn Information", "1030 DiskFull Error",
                "1031 DiskHasRoom Information", "1040 ArchiveFailed Warning", "1041 ArchiveGoesOn Information",
                "1050 WritersStopped Warning", "1060 LookFailed Error",
            ],
            found);
    }

    [Fact]
    public async Task The_log_tells_what_recovery_found()
    {
        var disk = new SimulatedFileSystem();
        using var killed = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk, SpaceReserveBytes = 0 });
        killed.Put("key"u8, "value"u8);
        await CrashExplorer.CheckEndAsync(disk, state =>
        {
            using var provider = Build(state.Disk);
            provider.GetRequiredService<KeyValueStore>();
            return Task.CompletedTask;
        });
        var line = log.Lines.First(one => one.Event.Id == 1001);
        Assert.Equal("Recovered", line.Event.Name);
        Assert.Contains("read 1 groups", line.Text, StringComparison.Ordinal);
        Assert.StartsWith("/store: ", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Doubt_is_told_once()
    {
        var disk = new FaultyFileSystem(TestHost.NewDisk());
        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        var watch = new StoreWatch(store, TestHost.Directory, log);
        watch.Look();
        Assert.Empty(log.Lines);
        CauseDoubt(disk, store);
        watch.Look();
        watch.Look();
        Assert.Equal([1010], log.StoreEvents);
    }

    [Fact]
    public void A_full_disk_and_its_end_are_told()
    {
        var disk = TestHost.NewDisk();
        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk, SpaceReserveBytes = 1 << 20 });
        var watch = new StoreWatch(store, TestHost.Directory, log);
        disk.CapacityBytes = 16 << 20;
        Assert.Throws<StorageException>(() =>
        {
            for (var i = 0; i < 100; i++) store.Put(BitConverter.GetBytes(i), new byte[1 << 20], Durability.Unflushed);
        });
        watch.Look();
        watch.Look();
        disk.CapacityBytes += 1 << 30;
        store.Put("key"u8, "value"u8);
        watch.Look();
        Assert.Equal([1030, 1031], log.StoreEvents.Where(id => id is 1030 or 1031));
    }

    [Fact]
    public void Trouble_is_told_when_it_begins_when_it_changes_and_when_it_ends()
    {
        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = TestHost.NewDisk() });
        var watch = new StoreWatch(store, TestHost.Directory, log);
        foreach (var problem in (string?[])["one", "one", "another", null, null])
        {
            watch.Look(new KeyValueStatistics { LastBackgroundFailure = problem }, failure: null);
            watch.Look(new KeyValueStatistics { LastBackgroundFailure = problem, LastArchiveFailure = problem }, failure: null);
            watch.Look(new KeyValueStatistics { LastBackgroundFailure = problem }, failure: null);
        }

        watch.Look(new KeyValueStatistics { WriteStalls = 3 }, failure: null);
        watch.Look(new KeyValueStatistics { WriteStalls = 3 }, failure: null);
        Assert.Equal([1020, 1040, 1041, 1040, 1041, 1020, 1040, 1041, 1021, 1050], log.StoreEvents);
        Assert.Contains(log.Lines, line => line.Text == "/store: flushes and merges do not go on: another");
    }

    [Fact]
    public void Two_looks_at_once_and_a_counter_that_shrinks_are_noticed()
    {
        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = TestHost.NewDisk() });
        StoreWatch? watch = null;
        var inner = new KeyValueStatistics { WriteStalls = 3 };
        var logger = new RecordedLog { Writing = () => watch!.Look(inner, failure: null) };
        watch = new StoreWatch(store, TestHost.Directory, logger);
        Assert.Throws<InvariantException>(() => watch.Look(inner, failure: null));
        logger.Writing = null;
        watch.Look(inner, failure: null);
        Assert.Throws<InvariantException>(() => watch.Look(inner with { WriteStalls = 2 }, failure: null));
        watch.Look(inner, failure: null);
    }

    [Fact]
    public async Task A_host_looks_as_often_as_it_is_told()
    {
        var clock = new SimulatedClock();
        var disk = new FaultyFileSystem(TestHost.NewDisk());
        using var host = BuildWatched(disk, clock);
        await host.StartAsync();
        CauseDoubt(disk, host.Services.GetRequiredService<KeyValueStore>());
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.DoesNotContain(1010, log.StoreEvents);
        clock.Advance(TimeSpan.FromSeconds(1));
        await TestKit.Waiting.UntilAsync(() => log.StoreEvents.Contains(1010), "the log hears of the doubt");
        await Assert.ThrowsAsync<StorePoisonedException>(() => host.StopAsync());
    }

    [Theory, InlineData(1011), InlineData(1061)]
    public async Task A_log_that_fails_keeps_no_store_from_being_closed(int firstSoundEvent)
    {
        var clock = new SimulatedClock();
        var disk = new FaultyFileSystem(TestHost.NewDisk());
        var faulty = new FaultyLog(firstSoundEvent);
        using var host = BuildWatched(disk, clock, faulty);
        await host.StartAsync();
        var store = host.Services.GetRequiredService<KeyValueStore>();
        CauseDoubt(disk, store);
        clock.Advance(TimeSpan.FromMinutes(1));
        await TestKit.Waiting.UntilAsync(() => log.StoreEvents.Contains(1060), "the log hears that it failed");
        await Assert.ThrowsAsync<StorePoisonedException>(() => host.StopAsync());
        Assert.Throws<ObjectDisposedException>(() => store.Get("key"u8));
        Assert.Equal([1000, 1010, 1060, 1003], log.StoreEvents);
    }

    // A host that looks at its store each minute of a clock.
    IHost BuildWatched(IFileSystem disk, TimeProvider clock, ILoggerProvider? second = null) => TestHost.Build(
        services =>
        {
            if (second is not null) services.AddSingleton(second);
            services.AddAshlarKeyValue(options =>
            {
                TestHost.On(disk)(options);
                options.TimeProvider = clock;
                options.WatchInterval = TimeSpan.FromMinutes(1);
            });
        },
        log);

    static void CauseDoubt(FaultyFileSystem disk, KeyValueStore store)
    {
        store.Put("key"u8, "value"u8);
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        Assert.Throws<StorePoisonedException>(() => store.Put("key"u8, "value"u8));
    }

    ServiceProvider Build(IFileSystem disk)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(log));
        services.AddAshlarKeyValue(TestHost.On(disk));
        return services.BuildServiceProvider();
    }

    /// <summary>Fails where it is told of trouble before an event.</summary>
    sealed class FaultyLog(int firstSoundEvent) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id >= 1010 && eventId.Id < firstSoundEvent) throw new IOException("The log's disk is full.");
        }

        public void Dispose()
        {
        }
    }
}

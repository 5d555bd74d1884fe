using Ashlar.Blocks.Devices;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Driver;

public sealed class RetryTests
{
    readonly FaultyDevice device = new(new MemoryDevice(16), new SeededEntropy(1));
    readonly BlockDriver driver;

    public RetryTests() => driver = new BlockDriver(device);

    public static TheoryData<DriverOperation> Operations =>
        [DriverOperation.Read, DriverOperation.Write, DriverOperation.WriteZeroes, DriverOperation.Trim];

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_failure_that_passes_after_two_attempts_is_not_seen_by_the_caller(DriverOperation operation)
    {
        device.Add(DeviceFault.TransientError(2, operation));
        await Run(operation);
        var statistics = driver.GetStatistics()[operation];
        Assert.Equal((1L, 2L, 0L), (statistics.Count, statistics.Retries, statistics.Failures));
        var log = driver.Log.List();
        Assert.Equal([(DriverLogEvent.Retried, 1), (DriverLogEvent.Retried, 2)], log.Select(entry => (entry.Event, entry.Attempt)));
        Assert.All(log, entry => Assert.Equal((operation, 4096L, 8192L), (entry.Operation, entry.OffsetBytes, entry.LengthBytes)));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task After_three_attempts_the_driver_gives_up_and_tells_the_last_failure(DriverOperation operation)
    {
        var fault = device.Add(DeviceFault.TransientError(3, operation));
        var error = await Assert.ThrowsAsync<RetriesExhaustedException>(() => Run(operation));
        Assert.Equal(3, error.Attempts);
        Assert.IsType<DeviceIOException>(error.InnerException);
        Assert.False(error.IsTransient);
        Assert.Equal(3, fault.Hits);
        var statistics = driver.GetStatistics()[operation];
        Assert.Equal((0L, 2L, 1L), (statistics.Count, statistics.Retries, statistics.Failures));
        Assert.Equal(
            [DriverLogEvent.Retried, DriverLogEvent.Retried, DriverLogEvent.Failed],
            driver.Log.List().Select(entry => entry.Event));
        await Run(operation); // The fault is over.
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_failure_that_stays_is_not_tried_again(DriverOperation operation)
    {
        var fault = device.Add(DeviceFault.PermanentError(operation));
        await Assert.ThrowsAsync<DeviceIOException>(() => Run(operation));
        Assert.Equal(1, fault.Hits);
        Assert.Equal((0, 1), (driver.GetStatistics().Retries, driver.GetStatistics().Failures));
    }

    [Fact]
    public async Task A_flush_is_never_tried_again()
    {
        var fault = device.Add(DeviceFault.TransientError(1, DriverOperation.Flush));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await driver.FlushAsync());
        Assert.Equal(1, fault.Hits);
        Assert.Equal(0, driver.GetStatistics().Retries);
    }

    [Fact]
    public async Task Each_piece_of_a_range_that_begins_and_ends_within_blocks_is_tried_again()
    {
        var data = new SeededRandom(1).Bytes(3 * 4096);
        device.Add(DeviceFault.TransientError(2, DriverOperation.Read));
        device.Add(DeviceFault.TransientError(2, DriverOperation.Write));
        await driver.WriteAsync(1000, data);
        device.Add(DeviceFault.TransientError(2, DriverOperation.Read));
        var read = new byte[data.Length];
        await driver.ReadAsync(1000, read);
        Assert.Equal(data, read);
        Assert.Equal((1, 1, 6, 0), (driver.GetStatistics().Reads, driver.GetStatistics().Writes, driver.GetStatistics().Retries, driver.GetStatistics().Failures));
    }

    [Fact]
    public async Task The_number_of_attempts_can_be_set()
    {
        var once = new BlockDriver(device, new BlockDriverOptions { MaxAttempts = 1 });
        var fault = device.Add(DeviceFault.TransientError(1));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await once.ReadAsync(0, new byte[4096]));
        Assert.Equal(1, fault.Hits);
    }

    [Fact]
    public async Task Only_retries_and_failures_are_logged_unless_more_is_asked_for()
    {
        List<DriverLogEntry> seen = [];
        var clock = new SimulatedClock();
        var verbose = new BlockDriver(
            device, new BlockDriverOptions { LogOperations = true, LogSink = seen.Add, LogCapacity = 2, TimeProvider = clock });
        await driver.WriteAsync(0, new byte[4096]);
        Assert.Empty(driver.Log.List());

        await verbose.WriteAsync(0, new byte[4096]);
        clock.Advance(TimeSpan.FromSeconds(1));
        await verbose.ReadAsync(1, new byte[2]);
        await verbose.FlushAsync();
        Assert.Equal(
            [(DriverOperation.Write, 0L, 4096L), (DriverOperation.Read, 1L, 2L), (DriverOperation.Flush, 0L, 0L)],
            seen.Select(entry => (entry.Operation, entry.OffsetBytes, entry.LengthBytes)));
        Assert.Equal(TimeSpan.FromSeconds(1), seen[1].At - seen[0].At);
        Assert.Equal(seen[1..], verbose.Log.List()); // A ring of two.
        Assert.Equal(3, verbose.Log.EntryCount);
    }

    Task Run(DriverOperation operation) => operation switch
    {
        DriverOperation.Read => driver.ReadAsync(4096, new byte[8192]).AsTask(),
        DriverOperation.Write => driver.WriteAsync(4096, new byte[8192]).AsTask(),
        DriverOperation.WriteZeroes => driver.WriteZeroesAsync(4096, 8192).AsTask(),
        _ => driver.TrimAsync(4096, 8192).AsTask(),
    };
}

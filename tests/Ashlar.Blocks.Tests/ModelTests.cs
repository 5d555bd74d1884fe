using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests;

/// <summary>Long sequences of reads, writes and trims agree with an array of bytes.</summary>
public sealed class ModelTests
{
    const int Steps = 3000;

    [Theory, Seeds(count: 3)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_in_memory(ulong seed) =>
        await RunAsync(seed, new MemoryDevice(200));

    [Theory, Seeds(count: 3)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_in_memory_with_small_blocks(ulong seed) =>
        await RunAsync(seed, new MemoryDevice(700, 512));

    [Theory, Seeds(count: 3)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_in_a_plain_file(ulong seed)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await RunAsync(seed, FileDevice.Create(disk, "/disk", 200 * 4096), () => FileDevice.Open(disk, "/disk"));
    }

    [Theory, Seeds(count: 3)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_in_a_device_file(ulong seed)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await RunAsync(
            seed, DeviceFile.Create(disk, "/disk", new SeededEntropy(seed), 200), () => DeviceFile.Open(disk, "/disk"));
    }

    [Theory, Seeds(count: 1)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_on_the_real_disk(ulong seed)
    {
        using var directory = new TemporaryDirectory();
        await RunAsync(
            seed,
            DeviceFile.Create(FileSystems.Real, directory["disk"], SystemEntropy.Instance, 200),
            () => DeviceFile.Open(FileSystems.Real, directory["disk"]));
        await RunAsync(
            seed,
            FileDevice.Create(FileSystems.Real, directory["plain"], 200 * 4096),
            () => FileDevice.Open(FileSystems.Real, directory["plain"]));
    }

    [Theory, Seeds(count: 3)]
    public async Task Long_sequences_of_reads_writes_and_trims_agree_with_a_model_over_failures_that_pass(ulong seed)
    {
        var device = new FaultyDevice(new MemoryDevice(200), new SeededEntropy(seed));
        var fault = device.Add(new DeviceFault
        {
            Kind = DeviceFaultKind.Error,
            IsTransient = true,
            Probability = 0.001,
            Operations = [DriverOperation.Read, DriverOperation.Write, DriverOperation.WriteZeroes, DriverOperation.Trim],
        });
        await RunAsync(seed, device);
        Assert.True(fault.Hits > 0);
    }

    static async Task RunAsync(ulong seed, IBlockDevice device, Func<IBlockDevice>? reopen = null)
    {
        var random = new SeededRandom(seed);
        var driver = new BlockDriver(device);
        var model = new byte[driver.SizeBytes];
        var blockSize = device.Geometry.BlockSizeBytes;
        for (var step = 0; step < Steps; step++)
        {
            var (offset, length) = Range(random, model.Length, blockSize);
            switch (random.Next(10))
            {
                case < 4:
                    var data = random.Bytes(length);
                    data.CopyTo(model, offset);
                    await driver.WriteAsync(offset, data, random.OneIn(20) ? WriteOptions.ForceUnitAccess : WriteOptions.None);
                    break;
                case < 7:
                    var read = new byte[length];
                    await driver.ReadAsync(offset, read);
                    Assert.True(model.AsSpan(offset, length).SequenceEqual(read), $"Seed {seed}, step {step}: {length} bytes at {offset} differ.");
                    break;
                case 7:
                    var first = (offset + blockSize - 1) / blockSize * blockSize;
                    var end = (offset + length) / blockSize * blockSize;
                    if (first < end) model.AsSpan(first, end - first).Clear();
                    await driver.TrimAsync(offset, length);
                    break;
                case 8:
                    model.AsSpan(offset, length).Clear();
                    await driver.WriteZeroesAsync(offset, length, (ZeroOptions)(random.Next(4) & ~(random.OneIn(8) ? 0 : 1)));
                    break;
                default:
                    await driver.FlushAsync();
                    if (reopen is null || !random.OneIn(10)) break;
                    await driver.DisposeAsync();
                    driver = new BlockDriver(reopen());
                    break;
            }
        }
        var all = new byte[model.Length];
        await driver.ReadAsync(0, all);
        Assert.True(model.AsSpan().SequenceEqual(all), $"Seed {seed}: the end differs.");
        await driver.DisposeAsync();
    }

    // Short ranges, ranges of whole blocks, ranges over many blocks, and both ends of the device.
    static (int Offset, int Length) Range(SeededRandom random, int size, int blockSize)
    {
        var length = random.Next(4) switch
        {
            0 => random.Next(1, 64),
            1 => blockSize * random.Next(1, 9),
            2 => random.Next(1, 3 * blockSize),
            _ => random.Next(1, 20 * blockSize),
        };
        var offset = random.Next(8) switch
        {
            0 => 0,
            1 => size - length,
            < 5 => random.Next(size / blockSize) * blockSize,
            _ => random.Next(size),
        };
        return (offset, Math.Min(length, size - offset));
    }
}

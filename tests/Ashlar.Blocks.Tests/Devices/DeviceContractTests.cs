using Ashlar.Blocks.Contract;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class MemoryDeviceContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() => new(new MemoryDevice());
}

public sealed class MemoryDeviceOf512ByteBlocksContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() => new(new MemoryDevice(1001, 512));
}

public sealed class DeviceFileContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() =>
        new(DeviceFile.Create(new SimulatedFileSystem(), "/disk", new SeededEntropy(1), 2000, 512));
}

public sealed class FaultyDeviceContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() =>
        new(new FaultyDevice(new MemoryDevice(), new SeededEntropy(1), hasVolatileCache: true));
}

public sealed class FileDeviceContractTests : BlockDeviceContract, IDisposable
{
    readonly TemporaryDirectory directory = new();

    protected override ValueTask<IBlockDevice> CreateAsync() =>
        new(FileDevice.Create(FileSystems.Real, directory["disk"], 1024 * 4096));

    public void Dispose() => directory.Dispose();
}

public sealed class FileDeviceOnASimulatedDiskContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() =>
        new(FileDevice.Create(new SimulatedFileSystem(), "/disk", 1024 * 512, 512));
}

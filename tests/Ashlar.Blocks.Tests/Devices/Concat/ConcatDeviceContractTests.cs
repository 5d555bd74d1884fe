using Ashlar.Blocks.Contract;
using Ashlar.Blocks.Devices;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class ConcatOfOneDeviceContractTests : BlockDeviceContract
{
    protected override ValueTask<IBlockDevice> CreateAsync() => new(ConcatDevice.Of(new MemoryDevice(2048, 4096), Guid.Empty));
}

/// <summary>Of three, so that requests of the tests lie on the border of two, and within each.</summary>
public sealed class ConcatDeviceContractTests : BlockDeviceContract
{
    protected override async ValueTask<IBlockDevice> CreateAsync()
    {
        var device = ConcatDevice.Of(new MemoryDevice(128, 512), Guid.Empty);
        foreach (var blocks in (int[])[512, 2048])
        {
            var further = new MemoryDevice(blocks, 512);
            await device.LabelAsync(further);
            await device.AddAsync(further);
        }
        return device;
    }
}

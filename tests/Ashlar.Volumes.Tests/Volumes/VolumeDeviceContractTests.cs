using Ashlar.Blocks;
using Ashlar.Blocks.Contract;

namespace Ashlar.Volumes.Tests;

/// <summary>A volume keeps the promises of every block device, whatever its block size and that of the device below.</summary>
public abstract class VolumeDeviceContractTests(int blockSizeBytes, int deviceBlockBytes, bool isThick) : BlockDeviceContract
{
    TestPool pool = null!;

    protected override async ValueTask<IBlockDevice> CreateAsync()
    {
        pool = await TestPool.CreateAsync(deviceBlockBytes: deviceBlockBytes);
        return await pool.CreateVolumeAsync("disk", 8 << 20, blockSizeBytes, isThick);
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        await pool.DisposeAsync();
    }
}

public sealed class ThinVolumeOf512OnADeviceOf4096() : VolumeDeviceContractTests(512, 4096, isThick: false);

public sealed class ThinVolumeOf4096OnADeviceOf4096() : VolumeDeviceContractTests(4096, 4096, isThick: false);

public sealed class ThinVolumeOf4096OnADeviceOf512() : VolumeDeviceContractTests(4096, 512, isThick: false);

public sealed class ThickVolumeOf512OnADeviceOf512() : VolumeDeviceContractTests(512, 512, isThick: true);

using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A pool with one volume, "disk", whose process can be killed: the page cache stays.</summary>
sealed class CrashedPool
{
    readonly MortalFileSystem process;

    CrashedPool(SimulatedFileSystem disk, MortalFileSystem process, TestPool pool)
    {
        (Disk, this.process, Pool) = (disk, process, pool);
    }

    public SimulatedFileSystem Disk { get; }

    public TestPool Pool { get; }

    public IBlockDevice Volume => Pool.Pool.OpenVolume("disk")!;

    public static async Task<CrashedPool> CreateAsync(
        PoolOptions? options = null, Func<IBlockDevice, IBlockDevice>? wrap = null, bool logsRecent = false, int chunks = 256)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var process = new MortalFileSystem(disk);
        options ??= TestPool.DefaultOptions();
        if (logsRecent) options = options with { RecentWrites = PoolWorkload.RecentOf(process, disk) };
        var pool = await TestPool.CreateAsync(chunks, disk: process, options: options, wrap: wrap);
        await pool.CreateVolumeAsync("disk", 16 << 20);
        return new CrashedPool(disk, process, pool);
    }

    /// <summary>Opens the pool anew after a kill, in a process that can be killed again.</summary>
    public static async Task<CrashedPool> OpenAsync(
        SimulatedFileSystem disk, PoolOptions options, Func<IBlockDevice, IBlockDevice>? wrap = null)
    {
        var process = new MortalFileSystem(disk);
        return new CrashedPool(disk, process, await TestPool.OpenAsync(process, options, wrap: wrap));
    }

    /// <summary>Kills the process and opens the pool in the next one, which logs recent writes.</summary>
    /// <param name="bootId">Which start of the machine that one finds; null for the same.</param>
    /// <param name="options">How the pool works.</param>
    /// <param name="diesAt">The files at which it dies, or null.</param>
    /// <param name="writes">After how many writes to them.</param>
    /// <param name="wrap">What lies over the device.</param>
    public async Task<CrashedPool> KillAndOpenAsync(
        Guid? bootId = null,
        PoolOptions? options = null,
        string? diesAt = null,
        int writes = 0,
        Func<IBlockDevice, IBlockDevice>? wrap = null)
    {
        Kill();
        var next = new MortalFileSystem(Disk);
        if (diesAt is not null) DieAt(next, diesAt, writes);
        var recent = PoolWorkload.RecentOf(next, Disk);
        if (bootId is { } boot) recent = recent with { BootId = boot };
        options = (options ?? TestPool.DefaultOptions()) with { RecentWrites = recent };
        return new CrashedPool(Disk, next, await TestPool.OpenAsync(next, options, wrap: wrap));
    }

    public void Kill() => process.Kill();

    /// <summary>Lets the process die when it writes to its log of recent writes the next time.</summary>
    public void KillBeforeNextLog() => KillBeforeNextWriteTo("/recent/");

    /// <summary>Lets the process die when it writes to a file the next time, before it has.</summary>
    public void KillBeforeNextWriteTo(string path) => DieAt(process, path, 0);

    static void DieAt(MortalFileSystem process, string path, int writes) => process.BeforeWrite = written =>
    {
        if (written.StartsWith(path, StringComparison.Ordinal) && writes-- == 0) process.Kill();
    };

    public Task WriteAsync(long block, int seed, int count = 1) =>
        Volume.WriteAsync(new Lba(block), Content(seed, count)).AsTask();

    public async Task CommitAsync()
    {
        await Volume.FlushAsync();
        await Pool.Pool.CommitAsync();
    }

    /// <summary>Flips a bit of the block that has this content.</summary>
    public void Rot(int seed)
    {
        var offset = Find(Disk, Content(seed));
        using var file = Disk.Open("/pool.data", FileOpenMode.Existing);
        var one = new byte[1];
        file.Read(one, offset + 700);
        one[0] ^= 0x10;
        file.Write(one, offset + 700);
    }

    public static byte[] Content(int seed, int count = 1) => new SeededRandom((ulong)seed).Bytes(count * 4096);

    /// <summary>A block that ends with its own CRC32C. The CRC32C of all such blocks is the same.</summary>
    public static byte[] Sealed(int seed)
    {
        var block = Content(seed);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4092), Crc32C.Compute(block.AsSpan(0, 4092)));
        return block;
    }

    public static async Task<byte[]> ReadAsync(IBlockDevice device, long block)
    {
        var data = new byte[4096];
        await device.ReadAsync(new Lba(block), data);
        return data;
    }

    /// <summary>Where on the pool's device a block with this content lies.</summary>
    public static long Find(IFileSystem disk, byte[] content)
    {
        using var file = disk.Open("/pool.data", FileOpenMode.ReadOnly);
        var block = new byte[4096];
        for (long offset = 0; offset < file.LengthBytes; offset += 4096)
        {
            file.Read(block, offset);
            if (block.AsSpan().SequenceEqual(content)) return offset;
        }

        throw new InvalidOperationException("no block has this content");
    }
}

using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The files of a pool are those of another pool, of another time, cut off or empty: it does not open, or is what it was.
/// </summary>
public sealed class MisplacedFileTests
{
    [Theory]
    [InlineData("data of another pool")]
    [InlineData("map of another pool")]
    [InlineData("data cut off")]
    [InlineData("data of zeros")]
    [InlineData("first chunks of another pool")]
    [InlineData("map of an earlier time")]
    public async Task A_pool_of_which_a_file_is_not_its_own_is_refused(string what)
    {
        var (disk, earlier) = await CreateAsync(1);
        var (other, _) = await CreateAsync(2);
        switch (what)
        {
            case "data of another pool": Copy(other, disk, "/pool.data"); break;
            case "map of another pool": CopyMap(other, disk); break;
            case "data cut off": Change(disk, file => file.SetLength(file.LengthBytes / 2)); break;
            case "data of zeros": Change(disk, file => file.PunchHole(0, file.LengthBytes)); break;
            case "first chunks of another pool":
                using (var from = other.Open("/pool.data", FileOpenMode.ReadOnly))
                {
                    var front = new byte[MapLayout.ChunkBytes];
                    from.Read(front, 0);
                    Change(disk, file => file.Write(front, 0));
                }

                break;
            default: CopyMap(earlier, disk); break;
        }

        var refusal = await Assert.ThrowsAnyAsync<AshlarException>(async () => await TestPool.OpenAsync(disk, TestPool.DefaultOptions(3)));
        Assert.Contains("/", refusal.Message, StringComparison.Ordinal); // It names a file.
    }

    // The map is newer than the data: what was overwritten since is damage, block by block, and never the old content.
    [Fact]
    public async Task Data_of_an_earlier_time_is_an_error_where_it_differs()
    {
        var (disk, earlier) = await CreateAsync(1);
        Copy(earlier, disk, "/pool.data");
        await using var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(3));
        var volume = pool.Pool.OpenVolume("disk")!;
        for (var block = 0; block < 20; block++)
            await Assert.ThrowsAsync<CorruptDataException>(async () => await CrashedPool.ReadAsync(volume, block));
        for (var block = 20; block < 40; block++)
            Assert.Equal(CrashedPool.Content(100 + block), await CrashedPool.ReadAsync(volume, block));
    }

    // What it held some time before it was closed as well; both are closed in order.
    static async Task<(SimulatedFileSystem Disk, SimulatedFileSystem Earlier)> CreateAsync(ulong seed)
    {
        var (disk, earlier) = (new SimulatedFileSystem(isRecording: false), new SimulatedFileSystem(isRecording: false));
        await using (var pool = await TestPool.CreateAsync(disk: disk, options: TestPool.DefaultOptions(seed)))
        {
            var volume = await pool.CreateVolumeAsync("disk", 4 << 20);
            for (var block = 0; block < 40; block++) await volume.WriteAsync(new Lba(block), CrashedPool.Content(100 + block));
        }

        earlier.CreateDirectory("/map");
        Copy(disk, earlier, "/pool.data");
        CopyMap(disk, earlier);
        await using (var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(seed)))
        {
            for (var block = 0; block < 20; block++)
                await pool.Pool.OpenVolume("disk")!.WriteAsync(new Lba(block), CrashedPool.Content(200 + block));
        }

        return (disk, earlier);
    }

    static void CopyMap(SimulatedFileSystem from, SimulatedFileSystem to)
    {
        foreach (var name in to.List("/map")) to.Delete($"/map/{name}");
        foreach (var name in from.List("/map")) Copy(from, to, $"/map/{name}");
    }

    static void Copy(SimulatedFileSystem from, SimulatedFileSystem to, string path)
    {
        using var source = from.Open(path, FileOpenMode.ReadOnly);
        using var target = to.Open(path, FileOpenMode.OpenOrCreate);
        var data = new byte[source.LengthBytes];
        source.Read(data, 0);
        target.SetLength(0);
        target.Write(data, 0);
    }

    static void Change(SimulatedFileSystem disk, Action<IFile> change)
    {
        using var file = disk.Open("/pool.data", FileOpenMode.Existing);
        change(file);
    }
}

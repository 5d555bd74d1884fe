using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class OpenFilesTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Fact]
    public void No_more_files_are_open_than_allowed_and_all_can_be_read()
    {
        var (open, files) = Open(count: 20, most: 3);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < files.Length; i++)
            {
                Assert.Equal((byte)i, ReadByte(files[i]));
                Assert.InRange(open.Count, 1, 3);
            }
        }

        foreach (var file in files) file.Dispose();
        Assert.Equal(0, open.Count);
        Assert.Throws<ObjectDisposedException>(() => ReadByte(files[0]));
    }

    [Fact]
    public void A_hint_for_a_file_that_is_gone_or_closed_is_no_error()
    {
        var (_, files) = Open(count: 3, most: 1);
        disk.PageCache.Drop();
        files[1].Prefetch(0, 1);
        Assert.Single(disk.PageCache.Hints);
        disk.Delete(files[2].Path);
        files[0].Prefetch(0, 1);
        files[2].Prefetch(0, 1);
        files[0].Dispose();
        files[0].Prefetch(0, 1);
        Assert.Equal(2, disk.PageCache.Hints.Count);
    }

    [Fact]
    public void A_missing_file_is_reported_when_it_is_opened()
    {
        var open = new OpenFiles(disk, 3);
        Assert.Throws<StorageException>(() => open.Open("/nothing"));
        Assert.Equal(0, open.Count);
    }

    [Fact]
    public void Concurrent_readers_of_more_files_than_may_be_open_read_their_own()
    {
        var (open, files) = Open(count: 8, most: 2);
        var wrong = 0;
        Parallel.For(0, 4, worker =>
        {
            for (var i = 0; i < 3000; i++)
            {
                var at = ((worker * 31) + (i * 7)) % files.Length;
                if (ReadByte(files[at]) != at) Interlocked.Increment(ref wrong);
            }
        });
        Assert.Equal(0, wrong);
        Assert.InRange(open.Count, 1, 2);
    }

    [Fact]
    public void A_store_with_more_tables_than_open_files_reads_them_all()
    {
        var options = TestStore.Small(disk) with { MaxOpenFiles = 2, BlockCacheBytes = 0 };
        using var store = KeyValueStore.Open("/store", options);
        for (var i = 0; i < 5; i++)
        {
            store.Put([(byte)i], new byte[300 * (i + 1)]);
            store.Flush();
        }

        for (var i = 0; i < 5; i++) Assert.Equal(300 * (i + 1), store.Get([(byte)i])!.Length);
        Assert.True(store.Verify().IsClean);
        Assert.InRange(store.GetStatistics().OpenFiles, 1, 2);
    }

    [Fact]
    public void Segments_that_this_process_wrote_count_and_are_opened_again()
    {
        var options = TestStore.Small(disk) with { MaxOpenFiles = 2, BlockCacheBytes = 0, SeparatedValueBytes = 100 };
        using var store = KeyValueStore.Open("/store", options);
        for (var i = 0; i < 8; i++)
        {
            store.Put([(byte)i], new byte[300 * (i + 1)]);
            store.Flush();
        }

        for (var i = 0; i < 8; i++) Assert.Equal(300 * (i + 1), store.Get([(byte)i])!.Length);
        Assert.Equal(8, store.GetStatistics().ValueSegments);
        Assert.InRange(store.GetStatistics().OpenFiles, 1, 2);
    }

    (OpenFiles Open, IFile[] Files) Open(int count, int most)
    {
        for (var i = 0; i < count; i++)
        {
            using var file = disk.Open($"/{i}", FileOpenMode.CreateNew);
            file.Write([(byte)i], 0);
        }

        var open = new OpenFiles(disk, most);
        return (open, [.. Enumerable.Range(0, count).Select(i => open.Open($"/{i}"))]);
    }

    static byte ReadByte(IFile file)
    {
        Span<byte> one = stackalloc byte[1];
        Assert.Equal(1, file.Read(one, 0));
        return one[0];
    }
}

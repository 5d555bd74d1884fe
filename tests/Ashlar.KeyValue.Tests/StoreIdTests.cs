using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Which store is in a directory can be asked without opening it.</summary>
[Trait("disk", "any")]
public sealed class StoreIdTests
{
    const string Manifest = $"{TestStore.Directory}/MANIFEST";

    readonly IFileSystem disk = TestStore.AnyDisk();

    [Fact]
    public void It_is_read_also_while_the_store_is_open_and_nothing_is_changed()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1");
        var before = StoreImage.Take(disk);
        Assert.True(KeyValueStore.TryReadStoreId(TestStore.Directory, out var id, disk));
        Assert.Equal(store.StoreId, id);
        before.RequireSameFiles(disk);
    }

    [Fact]
    public void Where_there_is_no_store_there_is_none()
    {
        Assert.False(KeyValueStore.TryReadStoreId("/missing", out var id, disk));
        disk.CreateDirectory("/empty");
        Assert.False(KeyValueStore.TryReadStoreId("/empty", out _, disk));
        Assert.Equal(Guid.Empty, id);
        Assert.Equal(["empty"], disk.List("/"));
        Assert.Throws<ArgumentException>(() => KeyValueStore.TryReadStoreId("", out _, disk));
    }

    [Fact]
    public void A_damaged_or_foreign_head_is_told()
    {
        using (KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk))) { }
        Flip(20);
        Assert.Equal(Manifest, Assert.Throws<CorruptDataException>(Read).FilePath);
        Flip(20);
        Flip(0);
        Assert.Equal(Manifest, Assert.Throws<UnsupportedFormatException>(Read).Path);
        using (var file = disk.Open(Manifest, FileOpenMode.Existing)) file.SetLength(31);
        Assert.Equal(Manifest, Assert.Throws<CorruptDataException>(Read).FilePath);

        void Read() => KeyValueStore.TryReadStoreId(TestStore.Directory, out _, disk);
    }

    void Flip(int offset)
    {
        using var file = disk.Open(Manifest, FileOpenMode.Existing);
        Span<byte> one = stackalloc byte[1];
        file.Read(one, offset);
        one[0] ^= 4;
        file.Write(one, offset);
    }
}

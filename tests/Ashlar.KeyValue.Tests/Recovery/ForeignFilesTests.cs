using System.Buffers.Binary;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A directory that is not what its manifest says is refused with a clear error, and left as it is.</summary>
public sealed class ForeignFilesTests
{
    static KeyValueOptions Options(IFileSystem disk, ulong seed = 5) => new()
    {
        FileSystem = disk,
        Entropy = new SeededEntropy(seed),
        BlockBytes = 256,
        LogChunkBytes = 2048,
        BackgroundInline = true,
    };

    static StoreImage Closed(ulong seed = 5, int keys = 20)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk, seed)))
        {
            for (var i = 0; i < keys; i++) store.Put(Encoding.UTF8.GetBytes($"key {i}"), new byte[30]);
            store.Flush();
            for (var i = 0; i < 5; i++) store.Put(Encoding.UTF8.GetBytes($"later {i}"), new byte[30]);
        }

        return StoreImage.Take(disk);
    }

    static T RefusesUntouched<T>(StoreImage image)
        where T : Exception
    {
        var disk = image.ToDisk();
        var error = Assert.ThrowsAny<T>(() => KeyValueStore.Open(StoreImage.Directory, Options(disk)));
        image.RequireSameFiles(disk);
        return error;
    }

    [Fact]
    public void A_missing_manifest_beside_tables_is_damage_not_a_new_store()
    {
        var image = Closed();
        image.Files.Remove("MANIFEST");
        RefusesUntouched<CorruptDataException>(image);
    }

    [Theory, InlineData("table-"), InlineData("log-")]
    public void A_missing_file_is_named(string kind)
    {
        var image = Closed();
        var name = image.Only(kind);
        image.Files.Remove(name);
        Assert.EndsWith(name, RefusesUntouched<CorruptDataException>(image).FilePath, StringComparison.Ordinal);
    }

    [Theory, InlineData("table-"), InlineData("log-"), InlineData("MANIFEST")]
    public void A_file_of_another_store_is_refused(string kind)
    {
        var image = Closed();
        var other = Closed(seed: 6);
        image.Files[image.Only(kind)] = other.Files[other.Only(kind)];
        RefusesUntouched<CorruptDataException>(image);
    }

    [Theory, InlineData("table-000900"), InlineData("log-000900")]
    public void An_additional_file_of_another_store_is_refused_not_deleted(string name)
    {
        var image = Closed();
        var other = Closed(seed: 6);
        image.Files[name] = other.Files[other.Only(name[..4])];
        RefusesUntouched<CorruptDataException>(image);
    }

    [Theory, InlineData("table-"), InlineData("log-"), InlineData("MANIFEST")]
    public void A_file_of_another_product_is_refused(string kind)
    {
        var image = Closed();
        image.Files[image.Only(kind)] = Encoding.UTF8.GetBytes(new string('x', 5000));
        RefusesUntouched<AshlarException>(image);
    }

    [Theory, InlineData("table-"), InlineData("log-"), InlineData("MANIFEST")]
    public void An_empty_or_shortened_file_is_refused(string kind)
    {
        var whole = Closed();
        var name = whole.Only(kind);
        var length = whole.Files[name].Length;
        foreach (var cut in (int[])[0, 1, 31, 63, length / 2, length - 129 < 0 ? 0 : length - 129])
        {
            var image = Closed();
            image.Files[name] = image.Files[name][..cut];
            RefusesUntouched<AshlarException>(image);
        }
    }

    [Theory, InlineData("table-", 128, 8), InlineData("log-", 0, 8), InlineData("MANIFEST", 0, 8)]
    public void A_later_format_version_is_refused_as_such(string kind, int fromEnd, int versionOffset)
    {
        var image = Closed();
        var bytes = image.Files[image.Only(kind)];
        var start = fromEnd == 0 ? 0 : bytes.Length - fromEnd;
        var length = kind switch { "table-" => 128, "log-" => 64, _ => 32 };
        var head = bytes.AsSpan(start, length);
        head[versionOffset] = 9;
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], Crc32C.Append(Crc32C.Compute(head[..12]), head[16..]));
        Assert.Contains("version 9", RefusesUntouched<UnsupportedFormatException>(image).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_that_lost_its_end_does_not_make_us_delete_the_log()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        StoreImage before;
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk)))
        {
            before = StoreImage.Take(disk);
            store.Put("key"u8, "value"u8);
        }

        var image = StoreImage.Take(disk);
        image.Files["MANIFEST"] = before.Files["MANIFEST"];
        RefusesUntouched<CorruptDataException>(image);
    }

    [Fact]
    public void Leftovers_of_our_own_are_deleted_and_never_adopted_and_files_of_users_stay()
    {
        var image = Closed();
        image.Files["table-000900"] = new byte[700];
        image.Files["log-000901"] = new byte[700];
        image.Files["MANIFEST.new"] = new byte[10];
        image.Files["notes.txt"] = [1, 2, 3];
        var disk = image.ToDisk();
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk)))
        {
            Assert.NotNull(store.Get("key 7"u8));
            store.Put("more"u8, "x"u8);
        }

        string[] planted = ["table-000900", "log-000901", "MANIFEST.new", "notes.txt"];
        Assert.Equal(["notes.txt"], disk.List(StoreImage.Directory).Intersect(planted));
    }

    [Fact]
    public void Opening_and_closing_a_sound_store_writes_nothing()
    {
        var image = Closed();
        var disk = image.ToDisk();
        for (var i = 0; i < 3; i++)
        {
            using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
            Assert.NotNull(store.Get("later 3"u8));
        }

        image.RequireSameFiles(disk);
    }

    [Fact]
    public void A_store_that_is_open_cannot_be_opened_again()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        Assert.Throws<LockedException>(() => KeyValueStore.Open(StoreImage.Directory + "/", Options(disk)));
    }

    [Fact]
    public void A_missing_store_is_not_created_unless_wanted()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var options = Options(disk) with { CreateIfMissing = false };
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => KeyValueStore.Open("/none", options)).Kind);
        disk.CreateDirectory("/none");
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => KeyValueStore.Open("/none", options)).Kind);
    }
}

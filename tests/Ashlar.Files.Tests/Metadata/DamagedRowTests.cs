using Ashlar.Storage;

namespace Ashlar.Files.Tests;

/// <summary>Rows that are well-formed and do not fit to each other, or say what cannot be: errors, and no wrong answers.</summary>
public sealed class DamagedRowTests
{
    static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;
    static readonly FilePath Path = FilePath.Parse("/f");
    static readonly BlockName Block = new(ContentHash.Of("block"u8), 1);

    [Fact]
    public async Task A_directory_that_is_missing_above_something_is_an_error_to_who_removes_beside_it()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/a"));
        foreach (var path in (string[])["/a/b/c/f", "/a/b/g"]) await rig.PutAsync(path, [1], new() { CreateParents = true });
        rig.Store.Rows.Delete(MetadataKeys.Directory(rig.Customer, FilePath.Parse("/a/b/c")));
        var deletion = Task.Run(() => rig.Files.DeleteFileAsync(rig.Customer, FilePath.Parse("/a/b/g")));
        var error = await Assert.ThrowsAsync<CorruptDataException>(() => deletion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("missing", error.Message, StringComparison.Ordinal);
        Assert.Equal([1], await rig.GetAsync("/a/b/g"));
    }

    [Fact]
    public async Task A_file_that_is_not_as_long_as_its_name_says_is_no_shorter_answer()
    {
        await using var rig = await FileRig.CreateAsync();
        var entry = await rig.PutAsync("/f", FileRig.Content(5000));
        var row = new FileRow { Path = Path, SizeBytes = 0, CreatedAt = At, BlockCount = 0, Inline = Array.Empty<byte>() };
        rig.Store.Rows.Put(MetadataKeys.FileRow(rig.Customer, entry.FileId), row.Write());
        await Assert.ThrowsAsync<CorruptDataException>(() => rig.GetAsync("/f"));
    }

    [Fact]
    public void A_row_that_says_what_cannot_be_is_an_error()
    {
        var customer = new CustomerId(5);
        var fileKey = MetadataKeys.FileRow(customer, 1);
        var file = new FileRow { Path = Path, SizeBytes = 3, CreatedAt = At, BlockCount = 0 };
        Refuses(() => FileRow.Read(fileKey, file.Write()));
        Refuses(() => FileRow.Read(fileKey, (file with { BlockCount = 1, Inline = new byte[3] }).Write()));

        var part = new UploadPart { Number = 1, SizeBytes = 3, Tag = "tag", CreatedAt = At, Blocks = [new(Block, 3)] };
        var partKey = MetadataKeys.Part(customer, 1, 1);
        Assert.Equal(3, Rows.ReadPart(partKey, Rows.Write(part)).SizeBytes);
        Refuses(() => Rows.ReadPart(partKey, Rows.Write(part with { SizeBytes = 4 })));
        Refuses(() => Rows.ReadPart(partKey, Rows.Write(part with { SizeBytes = 3, Blocks = [new(Block, 3), new(Block, 0)] })));
        foreach (var number in (int[])[0, UploadPart.MaxNumber + 1])
            Refuses(() => Rows.ReadPart(MetadataKeys.Part(customer, 1, number), Rows.Write(part)));
        byte[] far = [.. partKey[..^8], 1, 0, 0, 0, 0, 0, 0, 1];
        Refuses(() => Rows.ReadPart(far, Rows.Write(part)));

        // Text that is none.
        byte[] named = [.. Rows.Write(new Customer(customer, "name", Quota.None, At))];
        named[^1] = 0xFF;
        Refuses(() => Rows.ReadCustomer(MetadataKeys.Customer(customer), named));
        byte[] key = [.. Rows.Write(new AccessKey("AB", "secret", customer, "me", At, null))];
        key[^1] = 0xFF;
        Refuses(() => Rows.ReadKey(MetadataKeys.Key("AB"u8), key));

        static void Refuses(Action read) => Assert.Throws<CorruptDataException>(read);
    }
}

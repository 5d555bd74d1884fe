using System.Text;

namespace Ashlar.Files.Tests;

/// <summary>Copies without content, and what is kept beside files and directories.</summary>
public abstract class CopyContract : MetadataContract
{
    static readonly FileProperties Properties = FileProperties.Of([new("type", "text/plain"), new("a", "")]);

    [Fact]
    public async Task A_copy_refers_to_the_blocks_of_its_source_and_outlives_it()
    {
        var block = (await PutAsync("/f", "one", "two"))[0].Name;
        Clock.Advance(Hour);
        var copy = await Store.CopyFileAsync(Customer, Path("/f"), Path("/g"), new() { UploadId = NextId() });
        var source = (await Store.StatAsync(Customer, Path("/f")))!;
        Assert.Equal((source.SizeBytes, source.Tag, Clock.GetUtcNow()), (copy.SizeBytes, copy.Tag, copy.CreatedAt));
        Assert.Equal(2, await Store.CountReferencesAsync(Customer, block));
        Assert.Equal(new(12, 2, 0), await Store.GetUsageAsync(Customer));
        await Store.DeleteFileAsync(Customer, Path("/f"));
        await ReopenAsync();
        foreach (var idle in await Store.ListIdleAsync(TimeSpan.Zero, null, 10))
            Assert.False(await Store.CondemnAsync(idle, TimeSpan.Zero));
        var file = await Store.GetFileAsync(Customer, Path("/g"));
        Assert.Equal([block, file.Blocks[1].Name], file.Blocks.Select(each => each.Name));
        Assert.Equal(copy, file.Entry);
        await Store.DeleteFileAsync(Customer, Path("/g"));
        Assert.Equal(2, (await Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Count);
    }

    [Fact]
    public async Task A_copy_has_the_properties_and_the_tag_of_its_source_or_others()
    {
        await Store.CommitInlineAsync(Customer, NextId(), Small("/f", "1") with { Properties = Properties });
        await Store.CopyFileAsync(Customer, Path("/f"), Path("/g"), new() { UploadId = NextId() });
        var same = (await Store.DescribeAsync(Customer, Path("/g")))!;
        Assert.Equal((Properties, "1"), (same.Properties, same.Entry.Tag));
        var other = FileProperties.Of([new("b", "2")]);
        var options = new FileCopy { UploadId = NextId(), Condition = CommitCondition.Replace, Properties = other, Tag = "other" };
        // Onto itself, too.
        var copy = await Store.CopyFileAsync(Customer, Path("/f"), Path("/f"), options);
        Assert.Equal(copy, await Store.CopyFileAsync(Customer, Path("/f"), Path("/f"), options));
        var changed = await Store.GetFileAsync(Customer, Path("/f"));
        Assert.Equal((other, "other", "1"), (changed.Properties, changed.Entry.Tag, Encoding.UTF8.GetString(changed.Inline!.Value.Span)));
        Assert.Equal(new(2, 2, 0), await Store.GetUsageAsync(Customer));
    }

    [Fact]
    public async Task A_file_with_blocks_is_copied_onto_itself_without_losing_them()
    {
        var block = (await PutAsync("/f", "one"))[0].Name;
        var options = new FileCopy { UploadId = NextId(), Condition = CommitCondition.MustExist, Properties = Properties };
        await Store.CopyFileAsync(Customer, Path("/f"), Path("/f"), options);
        Assert.Equal(1, await Store.CountReferencesAsync(Customer, block));
        foreach (var idle in await Store.ListIdleAsync(TimeSpan.Zero, null, 10))
            Assert.False(await Store.CondemnAsync(idle, TimeSpan.Zero));
        Assert.Equal(block, (await Store.GetFileAsync(Customer, Path("/f"))).Blocks[0].Name);
    }

    [Fact]
    public async Task Conditions_of_copies_are_decided_with_the_write()
    {
        await PutSmallAsync("/f", "1");
        await PutSmallAsync("/g", "2");
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        await Assert.ThrowsAsync<PathExistsException>(() => CopyAsync("/f", "/g", new() { UploadId = NextId() }));
        await Assert.ThrowsAsync<TagMismatchException>(() => CopyAsync("/f", "/x", new() { UploadId = NextId(), IfTag = "2" }));
        await Assert.ThrowsAsync<TagMismatchException>(
            () => CopyAsync("/f", "/x", new() { UploadId = NextId(), Condition = CommitCondition.MustExist }));
        await Assert.ThrowsAsync<TagMismatchException>(
            () => CopyAsync("/f", "/g", new() { UploadId = NextId(), Condition = CommitCondition.ReplaceIf("3") }));
        await Assert.ThrowsAsync<PathNotFoundException>(() => CopyAsync("/x", "/y", new() { UploadId = NextId() }));
        await Assert.ThrowsAsync<PathNotFoundException>(() => CopyAsync("/f", "/d/e/f", new() { UploadId = NextId() }));
        await Assert.ThrowsAsync<NotAFileException>(() => CopyAsync("/d", "/y", new() { UploadId = NextId() }));
        await Assert.ThrowsAsync<NotAFileException>(
            () => CopyAsync("/f", "/d", new() { UploadId = NextId(), Condition = CommitCondition.Replace }));
        await CopyAsync("/f", "/d/e/f", new() { UploadId = NextId(), IfTag = "*", CreateParents = true });
        Assert.True((await Store.StatAsync(Customer, Path("/d/e")))!.IsImplicit);
        await Assert.ThrowsAsync<UploadIdInUseException>(
            () => CopyAsync("/f", "/y", new() { UploadId = Store.StatAsync(Customer, Path("/f")).Result!.FileId }));
        var intent = await BeginAsync("/z");
        await Assert.ThrowsAsync<UploadIdInUseException>(() => CopyAsync("/f", "/y", new() { UploadId = intent.Token.Id }));
        await Store.SetQuotaAsync(Customer, new(3, 100));
        await Assert.ThrowsAsync<QuotaExceededException>(() => CopyAsync("/f", "/y", new() { UploadId = NextId() }));

        Task CopyAsync(string from, string to, FileCopy copy) => Store.CopyFileAsync(Customer, Path(from), Path(to), copy);
    }

    [Fact]
    public async Task Properties_are_kept_changed_and_go_with_what_has_them()
    {
        await Store.CommitInlineAsync(Customer, NextId(), Small("/f") with { Properties = Properties });
        var before = (await Store.DescribeAsync(Customer, Path("/f")))!;
        Assert.Equal(Properties, before.Properties);
        Clock.Advance(Hour);
        var changes = new PropertyChanges(false, new Dictionary<string, string?> { ["type"] = null, ["b"] = "2" }, IsUpdate: false);
        Assert.Equal(before.Entry, await Store.SetPropertiesAsync(Customer, Path("/f"), changes, "content"));
        await Assert.ThrowsAsync<TagMismatchException>(() => Store.SetPropertiesAsync(Customer, Path("/f"), changes, "other"));
        await ReopenAsync();
        Assert.Equal(FileProperties.Of([new("a", ""), new("b", "2")]), (await Store.GetFileAsync(Customer, Path("/f"))).Properties);
        var all = new PropertyChanges(true, new Dictionary<string, string?> { ["c"] = "3" }, IsUpdate: true);
        Assert.Equal(Clock.GetUtcNow(), (await Store.SetPropertiesAsync(Customer, Path("/f"), all, "*")).UpdatedAt);
        await Store.RenameFileAsync(Customer, Path("/f"), Path("/g"));
        Assert.Equal(FileProperties.Of([new("c", "3")]), (await Store.DescribeAsync(Customer, Path("/g")))!.Properties);
        Assert.Equal("content", Encoding.UTF8.GetString((await Store.GetFileAsync(Customer, Path("/g"))).Inline!.Value.Span));

        await Store.CreateDirectoryAsync(Customer, Path("/d"), new() { Properties = Properties });
        await Store.SetPropertiesAsync(Customer, Path("/d"), changes);
        Assert.Equal(FileProperties.Of([new("a", ""), new("b", "2")]), (await Store.DescribeAsync(Customer, Path("/d")))!.Properties);
        await Store.DeleteDirectoryAsync(Customer, Path("/d"));
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        Assert.Empty((await Store.DescribeAsync(Customer, Path("/d")))!.Properties);

        Assert.Null(await Store.DescribeAsync(Customer, Path("/x")));
        Assert.Empty((await Store.DescribeAsync(Customer, FilePath.Root))!.Properties);
        await Assert.ThrowsAsync<ArgumentException>(() => Store.SetPropertiesAsync(Customer, FilePath.Root, changes));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.SetPropertiesAsync(Customer, Path("/x"), changes));
        await Assert.ThrowsAsync<TagMismatchException>(() => Store.SetPropertiesAsync(Customer, Path("/d"), changes, "tag"));
    }
}

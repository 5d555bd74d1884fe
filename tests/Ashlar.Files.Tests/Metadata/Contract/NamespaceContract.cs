using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

public abstract class NamespaceContract : MetadataContract
{
    [Fact]
    public async Task A_directory_needs_a_parent_and_a_free_name()
    {
        var entry = await Store.CreateDirectoryAsync(Customer, Path("/a"));
        Assert.Equal(entry, await Store.StatAsync(Customer, Path("/a")));
        Assert.Equal((NamespaceEntryKind.Directory, Clock.GetUtcNow()), (entry.Kind, entry.CreatedAt));
        await PutSmallAsync("/f");
        await Assert.ThrowsAsync<PathExistsException>(() => Store.CreateDirectoryAsync(Customer, Path("/a")));
        await Assert.ThrowsAsync<PathExistsException>(() => Store.CreateDirectoryAsync(Customer, Path("/f")));
        await Assert.ThrowsAsync<PathExistsException>(() => Store.CreateDirectoryAsync(Customer, FilePath.Root));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.CreateDirectoryAsync(Customer, Path("/b/c")));
        await Assert.ThrowsAsync<NotADirectoryException>(() => Store.CreateDirectoryAsync(Customer, Path("/f/c")));
        await Store.CreateDirectoryAsync(Customer, Path("/a/f"));
        await ReopenAsync();
        Assert.Equal(["/a/", "/a/f/", "/f"], await ListAsync(isRecursive: true));
        Assert.Equal(NamespaceEntryKind.Directory, (await Store.StatAsync(Customer, FilePath.Root))!.Kind);
        Assert.Null(await Store.StatAsync(Customer, Path("/b")));
    }

    [Fact]
    public async Task Only_an_empty_directory_is_deleted_as_one()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/a"));
        await Store.CreateDirectoryAsync(Customer, Path("/a/b"));
        await Store.CreateDirectoryAsync(Customer, Path("/a0"));
        await PutSmallAsync("/f");
        await Assert.ThrowsAsync<DirectoryNotEmptyException>(() => Store.DeleteDirectoryAsync(Customer, Path("/a")));
        await Assert.ThrowsAsync<DirectoryNotEmptyException>(() => Store.DeleteDirectoryAsync(Customer, FilePath.Root));
        await Assert.ThrowsAsync<NotADirectoryException>(() => Store.DeleteDirectoryAsync(Customer, Path("/f")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.DeleteDirectoryAsync(Customer, Path("/g")));
        await Store.DeleteDirectoryAsync(Customer, Path("/a/b"));
        await Store.DeleteDirectoryAsync(Customer, Path("/a"));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.DeleteDirectoryAsync(Customer, Path("/a")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => PutSmallAsync("/a/f"));
        Assert.Equal(["/a0/", "/f"], await ListAsync());
    }

    [Fact]
    public async Task A_file_is_there_whole_and_does_not_change()
    {
        var entry = await PutSmallAsync("/f", "Hello");
        Assert.Equal((5, "Hello", NamespaceEntryKind.File), (entry.SizeBytes, entry.Tag, entry.Kind));
        await Assert.ThrowsAsync<PathExistsException>(() => PutSmallAsync("/f", "other"));
        await Assert.ThrowsAsync<NotADirectoryException>(() => PutSmallAsync("/f/g"));
        await Assert.ThrowsAsync<PathNotFoundException>(() => PutSmallAsync("/d/g"));
        await Assert.ThrowsAsync<NotAFileException>(() => PutSmallAsync("/"));
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        await Assert.ThrowsAsync<PathExistsException>(() => PutSmallAsync("/d"));
        await Assert.ThrowsAsync<NotAFileException>(() => PutSmallAsync("/d", condition: CommitCondition.Replace));
        await ReopenAsync();
        var file = await Store.GetFileAsync(Customer, Path("/f"));
        Assert.Equal(entry, file.Entry);
        Assert.Equal("Hello", Encoding.UTF8.GetString(file.Inline!.Value.Span));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.GetFileAsync(Customer, Path("/d")));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.GetFileAsync(Customer, FilePath.Root));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.GetFileAsync(Customer, Path("/g")));
        await PutSmallAsync("/d/empty", "");
        Assert.Equal(0, (await Store.GetFileAsync(Customer, Path("/d/empty"))).Inline!.Value.Length);
    }

    [Fact]
    public async Task Conditions_are_decided_with_the_write()
    {
        await Assert.ThrowsAsync<TagMismatchException>(() => PutSmallAsync("/f", "1", CommitCondition.ReplaceIf("0")));
        await PutSmallAsync("/f", "1", CommitCondition.Replace);
        await Assert.ThrowsAsync<TagMismatchException>(() => PutSmallAsync("/f", "2", CommitCondition.ReplaceIf("0")));
        await PutSmallAsync("/f", "2", CommitCondition.ReplaceIf("1"));
        await Assert.ThrowsAsync<TagMismatchException>(() => PutSmallAsync("/g", "2", CommitCondition.MustExist));
        await PutSmallAsync("/f", "2", CommitCondition.MustExist);
        await Assert.ThrowsAsync<TagMismatchException>(() => Store.DeleteFileAsync(Customer, Path("/f"), "1"));
        await Store.DeleteFileAsync(Customer, Path("/f"), "2");
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.DeleteFileAsync(Customer, Path("/f")));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.DeleteFileAsync(Customer, FilePath.Root));
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.DeleteFileAsync(Customer, Path("/d")));
    }

    [Fact]
    public async Task A_file_gets_another_name_in_one_transaction()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        await PutSmallAsync("/f", "1");
        await PutSmallAsync("/g", "2");
        await Assert.ThrowsAsync<PathExistsException>(() => Store.RenameFileAsync(Customer, Path("/f"), Path("/g")));
        await Assert.ThrowsAsync<PathExistsException>(() => Store.RenameFileAsync(Customer, Path("/f"), Path("/d")));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.RenameFileAsync(Customer, Path("/f"), Path("/d"), mayReplace: true));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.RenameFileAsync(Customer, Path("/d"), Path("/e")));
        await Assert.ThrowsAsync<NotAFileException>(() => Store.RenameFileAsync(Customer, FilePath.Root, Path("/e")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.RenameFileAsync(Customer, Path("/f"), Path("/e/f")));
        await Assert.ThrowsAsync<NotADirectoryException>(() => Store.RenameFileAsync(Customer, Path("/f"), Path("/g/f")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.RenameFileAsync(Customer, Path("/x"), Path("/y")));
        var before = await Store.StatAsync(Customer, Path("/f"));
        Assert.Equal(before, await Store.RenameFileAsync(Customer, Path("/f"), Path("/f")));

        Clock.Advance(Hour);
        var renamed = await Store.RenameFileAsync(Customer, Path("/f"), Path("/d/f"));
        Assert.Equal(before! with { Path = Path("/d/f"), UpdatedAt = Clock.GetUtcNow() }, renamed);
        await Store.RenameFileAsync(Customer, Path("/d/f"), Path("/g"), mayReplace: true);
        await ReopenAsync();
        Assert.Equal(["/d/", "/g"], await ListAsync(isRecursive: true));
        Assert.Equal("1", (await Store.GetFileAsync(Customer, Path("/g"))).Entry.Tag);
    }

    [Fact]
    public async Task A_file_that_is_replaced_by_a_rename_leaves_its_blocks_to_the_collector()
    {
        var old = (await PutAsync("/old", "old"))[0].Name;
        var kept = (await PutAsync("/new", "new"))[0].Name;
        await Store.RenameFileAsync(Customer, Path("/new"), Path("/old"), mayReplace: true);
        Assert.Equal(0, await Store.CountReferencesAsync(Customer, old));
        Assert.Equal(1, await Store.CountReferencesAsync(Customer, kept));
        Assert.Equal(old, Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Block.Name);
    }

    [Fact]
    public async Task Names_are_listed_in_the_order_of_their_bytes_in_pages_of_any_size()
    {
        foreach (var name in (string[])["/foo", "/a", "/a/b", "/a/b/c", "/foo1"]) await Store.CreateDirectoryAsync(Customer, Path(name));
        foreach (var name in (string[])["/foo-", "/foo/x", "/foo1/y", "/a/b/z", "/a.", "/\u00e9", "/a/0"]) await PutSmallAsync(name);
        string[] children = ["/a.", "/a/", "/foo-", "/foo/", "/foo1/", "/\u00e9"];
        string[] all = ["/a.", "/a/", "/a/0", "/a/b/", "/a/b/c/", "/a/b/z", "/foo-", "/foo/", "/foo/x", "/foo1/", "/foo1/y", "/\u00e9"];
        for (var limit = 1; limit <= all.Length + 1; limit++)
        {
            Assert.Equal(children, await ListAsync(limit: limit));
            Assert.Equal(all, await ListAsync(isRecursive: true, limit: limit));
            Assert.Equal(["/foo/x"], await ListAsync("foo/", isRecursive: true, limit: limit));
            Assert.Equal(["/foo-", "/foo/", "/foo1/"], await ListAsync("foo", limit: limit));
            Assert.Equal(["/a/b/c/", "/a/b/z"], await ListAsync("a/b/", limit: limit));
            Assert.Equal(["/a/b/", "/a/b/c/", "/a/b/z"], await ListAsync("a/b", isRecursive: true, limit: limit));
        }

        Assert.Empty(await ListAsync("b"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ListAsync(Customer, new() { Limit = 0 }));
    }

    /// <remarks>Against a sorted list, so that no way of resuming skips or repeats a name.</remarks>
    [Theory, Seeds(count: 5)]
    public async Task Any_page_of_any_listing_is_that_of_a_sorted_list(ulong seed)
    {
        var random = new SeededRandom(seed);
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        string[] parts = ["a", "a-", "a0", "b", "b.", "~"];
        for (var i = 0; i < 60; i++)
        {
            var path = "";
            for (var depth = random.Next(1, 4); depth > 0; depth--) path += "/" + random.Pick(parts);
            try
            {
                if (random.OneIn(2)) await Store.CreateDirectoryAsync(Customer, Path(path));
                else await PutSmallAsync(path);
                keys.Add((await Store.StatAsync(Customer, Path(path)))!.Kind == NamespaceEntryKind.Directory ? path + "/" : path);
            }
            catch (FileStoreException)
            {
                // No parent, or taken.
            }
        }

        for (var i = 0; i < 40; i++)
        {
            var isRecursive = random.OneIn(2);
            var prefix = random.Pick<string>([.. keys, "/", "/a", "/b", "/a/b"])[1..];
            if (random.OneIn(3)) prefix = prefix[..random.Next(prefix.Length + 1)];
            var expected = keys
                .Where(key => key.StartsWith("/" + prefix, StringComparison.Ordinal) && (key != "/" + prefix || !key.EndsWith('/')))
                .Where(key => isRecursive || key.IndexOf('/', 1 + prefix.Length) is var slash && (slash < 0 || slash == key.Length - 1));
            Assert.Equal(expected, await ListAsync(prefix, isRecursive, random.Next(1, 6)));

            // Behind any bytes: a directory stands for what in it lies behind.
            var after = random.Pick<string>([.. keys, "/a", "/a/b!", "/b.", "/zz"])[1..];
            if (random.OneIn(3)) after += random.Pick<string>(["!", "/", "~", "/~"]);
            if (random.OneIn(4)) after = after[..random.Next(1, after.Length + 1)];
            var behind = expected.Where(key => IsBehind(key)
                || (!isRecursive && key.EndsWith('/') && key != "/" + after && keys.Any(below => IsIn(key, below) && IsBehind(below))));
            Assert.Equal(behind, await ListAsync(prefix, isRecursive, random.Next(1, 6), after));

            static bool IsIn(string directory, string key) => key.StartsWith(directory, StringComparison.Ordinal);

            bool IsBehind(string key) => string.CompareOrdinal(key, "/" + after) > 0;
        }
    }

    [Fact]
    public async Task A_range_of_a_file_is_found_in_a_list_of_any_length()
    {
        // Blocks of 1, 2 and 3 bytes, more than one page of them.
        string[] contents = [.. Enumerable.Range(0, 700).Select(number => $"{number}"[..Math.Min(3, $"{number}".Length)])];
        await PutAsync("/f", contents);
        await ReopenAsync();
        var all = await Store.GetFileAsync(Customer, Path("/f"));
        Assert.Equal(contents.Select(content => Block(content).Hash), all.Blocks.Select(block => block.Name.Hash));
        Assert.Equal((700, contents.Sum(content => content.Length)), (all.BlockCount, (int)all.Entry.SizeBytes));
        for (var offset = 0; offset < all.Entry.SizeBytes; offset += 7)
        {
            var part = await Store.GetFileAsync(Customer, Path("/f"), offset, 11);
            var start = 0;
            var expected = new List<int>();
            for (var i = 0; i < contents.Length; start += contents[i++].Length)
            {
                if (start + contents[i].Length <= offset || start >= offset + 11) continue;
                if (expected.Count == 0) Assert.Equal(start, part.BlocksOffsetBytes);
                expected.Add(i);
            }

            Assert.Equal(expected.Select(i => all.Blocks[i]), part.Blocks);
        }

        Assert.Empty((await Store.GetFileAsync(Customer, Path("/f"), all.Entry.SizeBytes)).Blocks);
        Assert.Empty((await Store.GetFileAsync(Customer, Path("/f"), 0, 0)).Blocks);
        await Store.DeleteFileAsync(Customer, Path("/f"));
        Assert.All(all.Blocks, block => Assert.Equal(0, Store.CountReferencesAsync(Customer, block.Name).Result));
    }

    [Fact]
    public async Task Of_two_that_want_a_name_one_wins_and_no_directory_goes_while_something_is_made_in_it()
    {
        for (var round = 0; round < 20; round++)
        {
            var directory = $"/d{round}";
            await Store.CreateDirectoryAsync(Customer, Path(directory));
            var creators = Enumerable.Range(0, 4).Select(_ => Succeeds(() => PutSmallAsync($"{directory}/f"))).ToArray();
            var delete = Succeeds(() => Store.DeleteDirectoryAsync(Customer, Path(directory)));
            var created = (await Task.WhenAll(creators)).Count(succeeded => succeeded);
            Assert.Equal(await delete ? 0 : 1, created);
            Assert.Equal(created, (await ListAsync($"d{round}/")).Length);
        }

        static Task<bool> Succeeds(Func<Task> act) => Task.Run(async () =>
        {
            try
            {
                await act();
                return true;
            }
            catch (FileStoreException)
            {
                return false;
            }
        });
    }
}

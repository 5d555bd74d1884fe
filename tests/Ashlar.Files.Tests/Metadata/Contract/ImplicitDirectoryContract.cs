using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

/// <summary>Directories that come with what is in them, and go with it.</summary>
public abstract class ImplicitDirectoryContract : MetadataContract
{
    [Fact]
    public async Task Missing_directories_are_made_with_a_file_and_go_with_the_last_in_them()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        await Assert.ThrowsAsync<PathNotFoundException>(() => PutSmallAsync("/b/c/d/f"));
        await PutDeepAsync("/b/c/d/f");
        await PutDeepAsync("/b/c/g");
        Assert.True((await Store.StatAsync(Customer, Path("/b/c")))!.IsImplicit);
        Assert.False((await Store.StatAsync(Customer, Path("/b")))!.IsImplicit);
        Assert.Equal(new(14, 2, 3), await Store.GetBucketUsageAsync(Customer, Path("/b")));
        await ReopenAsync();
        await Store.DeleteFileAsync(Customer, Path("/b/c/d/f"));
        Assert.Equal(["/b/", "/b/c/", "/b/c/g"], await ListAsync(isRecursive: true));
        await Store.DeleteFileAsync(Customer, Path("/b/c/g"), "*");
        Assert.Equal(["/b/"], await ListAsync(isRecursive: true));
        Assert.Equal(new(0, 0, 1), await Store.GetBucketUsageAsync(Customer, Path("/b")));
    }

    [Fact]
    public async Task Directories_of_the_root_are_made_by_name_or_not_at_all()
    {
        await Assert.ThrowsAsync<PathNotFoundException>(() => PutDeepAsync("/b/f"));
        await Assert.ThrowsAsync<PathNotFoundException>(() => PutDeepAsync("/b/c/f"));
        await PutSmallAsync("/file");
        await Assert.ThrowsAsync<NotADirectoryException>(() => PutDeepAsync("/file/c/f"));
        await Store.CreateDirectoryAsync(Customer, Path("/b"), new() { CreateParents = true });
        await PutDeepAsync("/b/f");
        await Assert.ThrowsAsync<NotADirectoryException>(() => PutDeepAsync("/b/f/c/d"));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReleaseDirectoryAsync(Customer, Path("/b")));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReleaseDirectoryAsync(Customer, FilePath.Root));
        await Store.DeleteFileAsync(Customer, Path("/b/f"));
        Assert.Equal(["/b/", "/file"], await ListAsync());
    }

    [Fact]
    public async Task A_directory_is_let_go_of_only_as_it_was_found()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        var found = await Store.CreateDirectoryAsync(Customer, Path("/b/c"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Store.SetPropertiesAsync(
            Customer, Path("/b/c"), new(false, new Dictionary<string, string?>(StringComparer.Ordinal) { ["a"] = "1" }, true));
        await Assert.ThrowsAsync<EntryChangedException>(() => Store.ReleaseDirectoryAsync(Customer, Path("/b/c"), found));
        var now = await Store.StatAsync(Customer, Path("/b/c"));
        await Store.ReleaseDirectoryAsync(Customer, Path("/b/c"), now);
        Assert.Null(await Store.StatAsync(Customer, Path("/b/c")));
    }

    [Fact]
    public async Task An_implicit_directory_can_be_claimed_and_an_explicit_one_let_go_of()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        await PutDeepAsync("/b/c/f");
        await Assert.ThrowsAsync<PathExistsException>(
            () => Store.CreateDirectoryAsync(Customer, Path("/b/c"), new() { CreateParents = true }));
        var options = new CreateDirectoryOptions { MayClaimImplicit = true, Properties = FileProperties.Of([new("a", "1")]) };
        Assert.False((await Store.CreateDirectoryAsync(Customer, Path("/b/c"), options)).IsImplicit);
        await Assert.ThrowsAsync<PathExistsException>(() => Store.CreateDirectoryAsync(Customer, Path("/b/c"), options));
        await Store.DeleteFileAsync(Customer, Path("/b/c/f"));
        Assert.Equal("1", (await Store.DescribeAsync(Customer, Path("/b/c")))!.Properties["a"]);

        await PutSmallAsync("/b/c/f");
        await Store.ReleaseDirectoryAsync(Customer, Path("/b/c"));
        var released = (await Store.DescribeAsync(Customer, Path("/b/c")))!;
        Assert.True(released.Entry.IsImplicit && released.Properties.Count == 0);
        await Store.ReleaseDirectoryAsync(Customer, Path("/b/c"));
        await Store.DeleteFileAsync(Customer, Path("/b/c/f"));
        Assert.Equal(["/b/"], await ListAsync(isRecursive: true));

        await Store.CreateDirectoryAsync(Customer, Path("/b/c/d/e"), new() { CreateParents = true });
        Assert.True((await Store.StatAsync(Customer, Path("/b/c/d")))!.IsImplicit);
        await Store.ReleaseDirectoryAsync(Customer, Path("/b/c/d/e"));
        Assert.Equal(["/b/"], await ListAsync(isRecursive: true));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.ReleaseDirectoryAsync(Customer, Path("/b/c")));
        await PutSmallAsync("/b/f");
        await Assert.ThrowsAsync<NotADirectoryException>(() => Store.ReleaseDirectoryAsync(Customer, Path("/b/f")));
        Assert.Equal(new(7, 1, 1), await Store.GetUsageAsync(Customer));
    }

    [Fact]
    public async Task Whatever_empties_an_implicit_directory_takes_it_away()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        await Store.CreateDirectoryAsync(Customer, Path("/b/c/explicit"), new() { CreateParents = true });
        await Store.DeleteDirectoryAsync(Customer, Path("/b/c/explicit"));
        Assert.Equal(["/b/"], await ListAsync(isRecursive: true));

        await PutDeepAsync("/b/c/d/f");
        await Store.RenameFileAsync(Customer, Path("/b/c/d/f"), Path("/b/c/g"));
        Assert.Equal(["/b/", "/b/c/", "/b/c/g"], await ListAsync(isRecursive: true));
        await Store.RenameFileAsync(Customer, Path("/b/c/g"), Path("/b/c/h"));
        Assert.Equal(["/b/", "/b/c/", "/b/c/h"], await ListAsync(isRecursive: true));
        await Store.RenameFileAsync(Customer, Path("/b/c/h"), Path("/b/h"));
        Assert.Equal(["/b/", "/b/h"], await ListAsync(isRecursive: true));

        await PutDeepAsync("/b/n/n/n");
        await PutDeepAsync("/b/n/n-");
        await PutDeepAsync("/b/n/n.");
        await PutDeepAsync("/b/n/n0");
        await Assert.ThrowsAsync<DirectoryNotEmptyException>(() => Store.DeleteDirectoryAsync(Customer, Path("/b/n")));
        foreach (var name in (string[])["/b/n/n.", "/b/n/n/n", "/b/n/n0"]) await Store.DeleteFileAsync(Customer, Path(name));
        Assert.Equal(["/b/", "/b/h", "/b/n/", "/b/n/n-"], await ListAsync(isRecursive: true));
        await Assert.ThrowsAsync<TagMismatchException>(() => Store.DeleteFileAsync(Customer, Path("/b/n/n-"), "other"));
        await Store.DeleteFileAsync(Customer, Path("/b/n/n-"));
        Assert.Equal(["/b/", "/b/h"], await ListAsync(isRecursive: true));
        Assert.Equal(new(7, 1, 1), await Store.GetUsageAsync(Customer));
    }

    /// <remarks>In any order, so that no way of looking for what is left in a directory overlooks something.</remarks>
    [Theory, Seeds(count: 3)]
    public async Task Directories_that_are_there_are_those_that_have_something(ulong seed)
    {
        var random = new SeededRandom(seed);
        var files = new SortedSet<string>(StringComparer.Ordinal);
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        for (var i = 0; i < 150; i++)
        {
            var path = "/b";
            for (var depth = random.Next(1, 4); depth > 0; depth--) path += "/" + random.Pick<string>(["a", "a-", "b", "b0"]);
            try
            {
                if (random.OneIn(2)) await PutDeepAsync(path);
                else await Store.DeleteFileAsync(Customer, Path(path));
                if (!files.Add(path)) files.Remove(path);
            }
            catch (FileStoreException)
            {
                // Taken, not there, or the other kind.
            }

            var expected = files.Concat(files.SelectMany(DirectoriesOf)).Append("/b/").Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(expected, await ListAsync(isRecursive: true));
        }
    }

    [Theory, Seeds(count: 2)]
    public async Task Of_many_that_remove_and_make_at_once_none_leaves_an_empty_directory_or_a_file_without_one(ulong seed)
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        for (var round = 0; round < TestTier.Choose(12, 500); round++)
        {
            var names = Enumerable.Range(0, 6).Select(number => $"/b/{round}/{(number % 2 == 0 ? "x/y" : "z")}/{number}").ToArray();
            foreach (var name in names) await PutDeepAsync(name);
            var random = SeededRandom.For(seed, $"round {round}");
            var order = names.OrderBy(_ => random.NextUInt64()).ToArray();
            var again = random.OneIn(2);
            await Task.WhenAll(order.Select(name => Task.Run(async () =>
            {
                await Store.DeleteFileAsync(Customer, Path(name));
                if (again) await PutDeepAsync(name);
                if (again) await Store.DeleteFileAsync(Customer, Path(name));
            })));
            Assert.Equal(["/b/"], await ListAsync(isRecursive: true));
        }

        Assert.Equal(new(0, 0, 1), await Store.GetUsageAsync(Customer));
    }

    static IEnumerable<string> DirectoriesOf(string path)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1)) yield return path[..(slash + 1)];
    }

    Task<NamespaceEntry> PutDeepAsync(string path) =>
        Store.CommitInlineAsync(Customer, NextId(), Small(path) with { CreateParents = true });
}

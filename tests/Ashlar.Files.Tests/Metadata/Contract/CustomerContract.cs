namespace Ashlar.Files.Tests;

public abstract class CustomerContract : MetadataContract
{
    [Fact]
    public async Task Customers_have_names_of_their_own_and_numbers_that_are_given_once()
    {
        var second = await Store.CreateCustomerAsync("second", new(1000, 10));
        await Assert.ThrowsAsync<CustomerExistsException>(() => Store.CreateCustomerAsync("second", Quota.None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateCustomerAsync("", Quota.None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateCustomerAsync(new string('x', 256), Quota.None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateCustomerAsync("third", new(-1, 0)));
        await ReopenAsync();
        Assert.Equal(second, await Store.FindCustomerAsync("second"));
        Assert.Null(await Store.FindCustomerAsync("third"));
        var third = await Store.CreateCustomerAsync("third", Quota.None);
        Assert.Equal([Customer, second.Id, third.Id], (await Store.ListCustomersAsync(null, 10)).Select(customer => customer.Id));
        Assert.Equal(second, Assert.Single(await Store.ListCustomersAsync(Customer, 1)));
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => Store.StatAsync(new(99), FilePath.Root));
    }

    [Fact]
    public async Task Nothing_of_a_customer_is_another_customers()
    {
        var other = (await Store.CreateCustomerAsync("second", Quota.None)).Id;
        await PutAsync("/file", "shared");
        Assert.Null(await Store.StatAsync(other, Path("/file")));
        Assert.Empty((await Store.ListAsync(other, new())).Entries);
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.GetFileAsync(other, Path("/file")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => Store.DeleteFileAsync(other, Path("/file")));

        // Whether somebody else has a content cannot be found out.
        var intent = await BeginAsync("/file", customer: other);
        Assert.Null((await Store.PinAsync(intent.Token, [Block("shared")]))[0].Known);
        Assert.Equal(default, await Store.GetUsageAsync(other));
    }

    [Fact]
    public async Task Usage_is_exact_for_the_customer_and_for_each_directory_of_the_root()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/a"));
        await Store.CreateDirectoryAsync(Customer, Path("/a/b"));
        await Store.CreateDirectoryAsync(Customer, Path("/c"));
        await PutSmallAsync("/root", "12345");
        await PutSmallAsync("/a/b/one", "123");
        await PutAsync("/a/two", "1234567", "1234567");
        Assert.Equal(new(22, 3, 3), await Store.GetUsageAsync(Customer));
        Assert.Equal(new(17, 2, 2), await Store.GetBucketUsageAsync(Customer, Path("/a")));
        Assert.Equal(new(0, 0, 1), await Store.GetBucketUsageAsync(Customer, Path("/c")));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetBucketUsageAsync(Customer, Path("/a/b")));

        await Store.RenameFileAsync(Customer, Path("/a/two"), Path("/c/two"));
        await PutSmallAsync("/a/b/one", "1", CommitCondition.Replace);
        await ReopenAsync();
        Assert.Equal(new(1, 1, 2), await Store.GetBucketUsageAsync(Customer, Path("/a")));
        Assert.Equal(new(14, 1, 1), await Store.GetBucketUsageAsync(Customer, Path("/c")));
        await Store.DeleteFileAsync(Customer, Path("/c/two"));
        await Store.DeleteDirectoryAsync(Customer, Path("/c"));
        Assert.Equal(default, await Store.GetBucketUsageAsync(Customer, Path("/c")));
        Assert.Equal(new(6, 2, 2), await Store.GetUsageAsync(Customer));
    }

    [Fact]
    public async Task A_quota_refuses_what_exceeds_it_and_nothing_else()
    {
        await Store.SetQuotaAsync(Customer, new(10, 2));
        await PutSmallAsync("/a", "123456");
        await Assert.ThrowsAsync<QuotaExceededException>(() => PutSmallAsync("/b", "12345"));
        await PutSmallAsync("/b", "1234");
        await Assert.ThrowsAsync<QuotaExceededException>(() => PutSmallAsync("/c", ""));
        await Assert.ThrowsAsync<QuotaExceededException>(() => PutSmallAsync("/b", "12345", CommitCondition.Replace));
        await PutSmallAsync("/b", "123", CommitCondition.Replace);
        await ReopenAsync();
        await Assert.ThrowsAsync<QuotaExceededException>(() => PutSmallAsync("/b", "12345", CommitCondition.Replace));

        // A quota below what is there only refuses more.
        await Store.SetQuotaAsync(Customer, new(5, 1));
        await PutSmallAsync("/b", "1", CommitCondition.Replace);
        await Store.RenameFileAsync(Customer, Path("/b"), Path("/c"));
        await Store.DeleteFileAsync(Customer, Path("/a"));
        Assert.Equal(new(1, 1, 0), await Store.GetUsageAsync(Customer));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.SetQuotaAsync(Customer, new(0, -1)));
    }

    [Fact]
    public async Task What_open_uploads_have_pinned_counts_as_if_it_were_in_files()
    {
        await Store.SetQuotaAsync(Customer, new(20, 10));
        var (first, second) = (await BeginAsync("/f"), await BeginAsync("/g"));
        WantedBlock[] blocks = [Block("0123456789")];
        var pins = await Store.PinAsync(first.Token, blocks);
        await RefusedAsync(() => PutSmallAsync("/s", new string('x', 11)));
        await RefusedAsync(() => Store.PinAsync(second.Token, [Block(new string('x', 11))]));
        await Store.PinAsync(second.Token, [Block("abcdefghij"), Block("abcdefghij")]);
        await Store.PinAsync(second.Token, [Block("abcdefghij")]);
        await ReopenAsync();
        await RefusedAsync(() => PutSmallAsync("/s", "x"));
        await RefusedAsync(() => Store.OpenIntentAsync(
            Customer, new IntentRequest { Id = NextId(), Path = Path("/h"), Owner = "a test", Lease = Lease, ExpectedBytes = 1 }));
        Assert.True(await Store.ReleaseIntentAsync(second.Token, Nodes));
        await PutSmallAsync("/s", new string('x', 10));
        await Store.CommitAsync(first.Token, Large("/f", pins, blocks, Nodes[..3]));
        Assert.Equal(new(20, 2, 0), await Store.GetUsageAsync(Customer));

        // What is replaced is given back, and is given once, however many are about to replace it.
        var (one, other) = (await BeginAsync("/f"), await BeginAsync("/f"));
        blocks = [Block("ABCDEFGHIJ")];
        pins = await Store.PinAsync(one.Token, blocks);
        await RefusedAsync(() => Store.PinAsync(other.Token, [Block("x")]));
        await Store.CommitAsync(one.Token, Large("/f", pins, blocks, Nodes[..3]));
        Assert.Equal(new(20, 2, 0), await Store.GetUsageAsync(Customer));
        await Store.DeleteFileAsync(Customer, Path("/s"));
        await PutSmallAsync("/s", new string('x', 10));

        async Task RefusedAsync(Func<Task> call) =>
            Assert.Equal("bytes", (await Assert.ThrowsAsync<QuotaExceededException>(call)).What);
    }

    [Fact]
    public async Task What_is_announced_counts_from_the_beginning_of_an_upload_to_its_end()
    {
        await Store.SetQuotaAsync(Customer, new(30, 10));
        var first = await OpenAsync("/f", 20);
        await RefusedAsync(() => OpenAsync("/g", 11));
        await RefusedAsync(() => PutSmallAsync("/s", new string('x', 11)));
        var second = await OpenAsync("/g", 10);

        // What is pinned was announced, and counts once; what is more is asked for.
        WantedBlock[] blocks = [Block("0123456789")];
        var pins = await Store.PinAsync(first.Token, blocks);
        await Store.PinAsync(first.Token, [Block("abcdefghij")]);
        await RefusedAsync(() => Store.PinAsync(first.Token, [Block("x")]));
        await RefusedAsync(() => PutSmallAsync("/s", "x"));

        // Whoever opens it anew announces anew.
        first = await OpenAsync("/f", 20, first.Token.Id);
        await RefusedAsync(() => PutSmallAsync("/s", "x"));
        Assert.True(await Store.ReleaseIntentAsync(second.Token, Nodes));
        await PutSmallAsync("/s", new string('x', 10));
        Assert.True(await Store.ReleaseIntentAsync(first.Token, Nodes));

        // A file that is shorter than was said gives back the rest.
        first = await OpenAsync("/f", 20);
        pins = await Store.PinAsync(first.Token, blocks);
        await Store.CommitAsync(first.Token, Large("/f", pins, blocks, Nodes[..3]));
        await PutSmallAsync("/t", new string('x', 10));
        Assert.Equal(new(30, 3, 0), await Store.GetUsageAsync(Customer));

        // One that replaces another has its room, and a restart forgets what was announced.
        await OpenAsync("/f", 10);
        await RefusedAsync(() => OpenAsync("/f", 10));
        await ReopenAsync();
        await OpenAsync("/f", 10);

        async Task RefusedAsync(Func<Task> call) =>
            Assert.Equal("bytes", (await Assert.ThrowsAsync<QuotaExceededException>(call)).What);

        Task<UploadIntent> OpenAsync(string path, long expected, ulong? id = null) => Store.OpenIntentAsync(
            Customer,
            new IntentRequest { Id = id ?? NextId(), Path = Path(path), Owner = "a test", Lease = Lease, ExpectedBytes = expected });
    }

    [Fact]
    public async Task Directories_and_open_uploads_are_as_many_as_files_and_a_thousand()
    {
        const int Most = 1000;
        await Store.SetQuotaAsync(Customer, new(long.MaxValue, 0));
        var intents = await Task.WhenAll(Enumerable.Range(0, Most).Select(number => BeginAsync($"/{number}")));
        await ReopenAsync();
        Assert.Equal("open uploads", (await Assert.ThrowsAsync<QuotaExceededException>(() => BeginAsync("/f"))).What);
        await Store.OpenIntentAsync(Customer, intents[0].Token.Id, intents[0].Path, "again", Lease);
        Assert.True(await Store.ReleaseIntentAsync(intents[1].Token, Nodes));
        await BeginAsync("/f");
        await Assert.ThrowsAsync<QuotaExceededException>(() => BeginAsync("/g"));

        await Task.WhenAll(Enumerable.Range(0, Most).Select(number => Store.CreateDirectoryAsync(Customer, Path($"/d{number}"))));
        await ReopenAsync();
        var refused = await Assert.ThrowsAsync<QuotaExceededException>(() => Store.CreateDirectoryAsync(Customer, Path("/more")));
        Assert.Equal(("directories", 1, 1000), (refused.What, refused.More, refused.Limit));
        await Store.DeleteDirectoryAsync(Customer, Path("/d7"));
        await Store.CreateDirectoryAsync(Customer, Path("/more"));
    }

    [Fact]
    public async Task A_quota_is_exact_whoever_writes_at_the_same_time()
    {
        const int Room = 37;
        await Store.SetQuotaAsync(Customer, new(long.MaxValue, Room));
        await Store.CreateDirectoryAsync(Customer, Path("/d"));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
        {
            var created = 0;
            for (var i = 0; i < 10; i++)
            {
                try
                {
                    var file = Small($"/d/{client}-{i}");
                    await Store.CommitInlineAsync(Customer, (ulong)(1000 + (client * 100) + i), file);
                    created++;
                }
                catch (QuotaExceededException)
                {
                    // Others were first.
                }
            }

            return created;
        })));
        Assert.Equal(Room, outcomes.Sum());
        Assert.Equal(new(Room * 7, Room, 1), await Store.GetUsageAsync(Customer));
        Assert.Equal(new(Room * 7, Room, 1), await Store.GetBucketUsageAsync(Customer, Path("/d")));
        Assert.Equal(Room, (await ListAsync("d/")).Length);
    }
}

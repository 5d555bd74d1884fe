namespace Ashlar.Files.Tests;

/// <summary>Users of customers, and their keys.</summary>
public abstract class UserContract : MetadataContract
{
    [Fact]
    public async Task A_user_is_of_one_customer_and_has_a_name_of_its_own()
    {
        var user = await Store.CreateUserAsync(Customer, "one", FileRights.Read | FileRights.Write);
        Assert.Equal(new User(Customer, "one", FileRights.Read | FileRights.Write, Clock.GetUtcNow()), user);
        await Assert.ThrowsAsync<UserExistsException>(() => Store.CreateUserAsync(Customer, "one", FileRights.Read));
        var other = (await Store.CreateCustomerAsync("second", Quota.None)).Id;
        await Store.CreateUserAsync(other, "one", FileRights.None);
        await Store.CreateUserAsync(Customer, "on", FileRights.Administer);
        await ReopenAsync();
        Assert.Equal(user, await Store.FindUserAsync(Customer, "one"));
        Assert.Null(await Store.FindUserAsync(Customer, "One"));
        Assert.Null(await Store.FindUserAsync(Customer, ""));
        Assert.Equal(["on", "one"], (await Store.ListUsersAsync(Customer, null, 10)).Select(each => each.Name));
        Assert.Equal(["one"], (await Store.ListUsersAsync(Customer, "on", 10)).Select(each => each.Name));
        Assert.Single(await Store.ListUsersAsync(other, null, 10));
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => Store.CreateUserAsync(new(99), "one", FileRights.Read));
        foreach (var name in (string[])["", "a\0b", new string('x', 256)])
            await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateUserAsync(Customer, name, FileRights.Read));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateUserAsync(Customer, "two", (FileRights)8));
    }

    [Fact]
    public async Task A_key_is_found_by_its_identity_alone_and_goes_with_its_user()
    {
        await Store.CreateUserAsync(Customer, "one", FileRights.Read);
        await Store.CreateUserAsync(Customer, "one1", FileRights.Read);
        var key = await Store.CreateKeyAsync(Customer, "one");
        Assert.Matches("^[A-Z2-7]{20}$", key.Id);
        Assert.Equal(40, key.Secret.Length);
        Assert.DoesNotContain(key.Secret, key.ToString(), StringComparison.Ordinal);
        var end = Clock.GetUtcNow() + Hour;
        var brought = new GivenKey("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        var given = await Store.CreateKeyAsync(Customer, "one1", end, brought);
        await Assert.ThrowsAsync<KeyExistsException>(() => Store.CreateKeyAsync(Customer, "one", null, new(given.Id, "x")));
        await Assert.ThrowsAsync<UserNotFoundException>(() => Store.CreateKeyAsync(Customer, "two"));
        foreach (var wrong in (GivenKey[])[new("", "x"), new("a b", "x"), new("a", ""), new("a", "x y"), new(new('a', 129), "x")])
            await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateKeyAsync(Customer, "one", null, wrong));
        await ReopenAsync();
        Assert.Equal(key, await Store.FindKeyAsync(key.Id));
        Clock.Advance(2 * Hour);
        Assert.Equal((given, end), (await Store.FindKeyAsync(given.Id), given.ExpiresAt));
        Assert.Null(await Store.FindKeyAsync(key.Id + "A"));
        Assert.Null(await Store.FindKeyAsync("\u00e9"));
        Assert.Equal([key], await Store.ListKeysAsync(Customer, "one"));
        Assert.NotEqual((await Store.CreateKeyAsync(Customer, "one")).Secret, key.Secret);
        Assert.True(await Store.DeleteKeyAsync(key.Id));
        Assert.False(await Store.DeleteKeyAsync(key.Id));
        await Store.DeleteUserAsync(Customer, "one1");
        Assert.Null(await Store.FindKeyAsync(given.Id));
        await Assert.ThrowsAsync<UserNotFoundException>(() => Store.DeleteUserAsync(Customer, "one1"));
        Assert.Single(await Store.ListKeysAsync(Customer, "one"));
        Assert.Empty(await Store.ListKeysAsync(Customer, "one1"));
        for (var count = 1; count < AccessKey.MaxOfUser; count++) await Store.CreateKeyAsync(Customer, "one");
        await Assert.ThrowsAsync<TooManyKeysException>(() => Store.CreateKeyAsync(Customer, "one"));
    }

    [Fact]
    public async Task A_key_does_not_end_before_1970()
    {
        await Store.CreateUserAsync(Customer, "one", FileRights.Read);
        foreach (var wrong in (DateTimeOffset[])[default, DateTimeOffset.UnixEpoch.AddTicks(-1), DateTimeOffset.UnixEpoch.AddDays(-1)])
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.CreateKeyAsync(Customer, "one", wrong));
            Assert.Empty(await Store.ListKeysAsync(Customer, "one"));
        }

        foreach (var end in (DateTimeOffset[])[DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue])
        {
            var key = await Store.CreateKeyAsync(Customer, "one", end);
            Assert.Equal(key, await Store.FindKeyAsync(key.Id));
            Assert.True((end - key.ExpiresAt!.Value).Duration() < TimeSpan.FromMicroseconds(1));
        }

        await Store.DeleteUserAsync(Customer, "one");
    }

    [Fact]
    public async Task A_name_is_one_that_can_be_written()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateCustomerAsync("a\ud800", Quota.None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CreateUserAsync(Customer, "a\udc00", FileRights.Read));
    }

    [Fact]
    public async Task A_customer_without_files_goes_with_its_users_and_keys()
    {
        var doomed = (await Store.CreateCustomerAsync("doomed", Quota.None)).Id;
        await Store.CreateUserAsync(doomed, "one", FileRights.Read);
        var key = await Store.CreateKeyAsync(doomed, "one");
        var intent = await BeginAsync("/f", customer: doomed);
        Assert.Equal("uploads that have not ended", (await RefusedAsync()).What);
        var pins = await Store.PinAsync(intent.Token, [Block("one")]);
        await Store.CommitAsync(intent.Token, Large("/f", pins, [Block("one")], Nodes[..3]));
        await RefusedAsync();
        await Store.CreateDirectoryAsync(doomed, Path("/d"));
        await Store.DeleteFileAsync(doomed, Path("/f"));
        await RefusedAsync();
        await Store.DeleteDirectoryAsync(doomed, Path("/d"));
        await Store.DeleteCustomerAsync(doomed);
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => Store.DeleteCustomerAsync(doomed));
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => Store.CreateDirectoryAsync(doomed, Path("/d")));
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => Store.SetQuotaAsync(doomed, Quota.None));
        await Assert.ThrowsAsync<CustomerNotFoundException>(() => BeginAsync("/f", customer: doomed));
        Assert.Null(await Store.FindKeyAsync(key.Id));
        Assert.Null(await Store.FindCustomerAsync("doomed"));
        // What its files have left goes as ever, and no number comes twice.
        Assert.True(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        await ReopenAsync();
        Assert.NotEqual(doomed, (await Store.CreateCustomerAsync("doomed", Quota.None)).Id);

        Task<CustomerNotEmptyException> RefusedAsync() =>
            Assert.ThrowsAsync<CustomerNotEmptyException>(() => Store.DeleteCustomerAsync(doomed));
    }
}

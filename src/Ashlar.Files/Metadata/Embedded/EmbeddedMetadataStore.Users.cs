using System.Buffers.Text;
using System.Text;
using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    const int KeyIdLength = 20, SecretBytes = 30, MaxKeyText = 128;
    const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <inheritdoc />
    public async Task<User> CreateUserAsync(
        CustomerId customer, string name, FileRights rights, CancellationToken cancellationToken = default)
    {
        var bytes = UserName(name);
        if ((rights & ~Files.Rows.AllRights) != FileRights.None)
            throw new ArgumentException($"There are no rights {(int)rights:x}.", nameof(rights));
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Customer(customer, isExclusive: false).User(customer, name));
        RequireCustomer(customer);
        if (ReadUser(customer, bytes) is not null) throw new UserExistsException(customer, name);
        var user = new User(customer, name, rights, Wall);
        var batch = new WriteBatch();
        batch.Put(MetadataKeys.User(customer, bytes), Files.Rows.Write(user));
        await WriteAsync(batch);
        return user;
    }

    /// <inheritdoc />
    public Task<User?> FindUserAsync(CustomerId customer, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(ReadUser(customer, Encoding.UTF8.GetBytes(name)));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<User>> ListUsersAsync(
        CustomerId customer, string? after, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<User>>(ReadPage<User>(
            KeyRange.Prefix(MetadataKeys.Users(customer)),
            after is null ? null : MetadataKeys.User(customer, Encoding.UTF8.GetBytes(after)),
            limit,
            static (row, out item) =>
            {
                item = Files.Rows.ReadUser(row.Key, row.Value);
                return true;
            },
            cancellationToken));

    /// <inheritdoc />
    public async Task DeleteUserAsync(CustomerId customer, string name, CancellationToken cancellationToken = default)
    {
        var bytes = UserName(name);
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().User(customer, name));
        if (ReadUser(customer, bytes) is null) throw new UserNotFoundException(customer, name);
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Delete(MetadataKeys.User(customer, bytes));
        foreach (var key in ReadKeys(customer, bytes)) RemoveKey(batch, key);
        await WriteAsync(batch);
    }

    /// <inheritdoc />
    public async Task<AccessKey> CreateKeyAsync(
        CustomerId customer, string user, DateTimeOffset? expiresAt = null, GivenKey? given = null,
        CancellationToken cancellationToken = default)
    {
        var bytes = UserName(user);
        if (given is not null) Check(given);
        if (expiresAt < DateTimeOffset.UnixEpoch)
            throw new ArgumentOutOfRangeException(nameof(expiresAt), expiresAt, "A key does not end before 1970.");
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            var (id, secret) = given is null ? DrawKey() : (given.Id, given.Secret);
            using var held = await latches.TakeAsync(
                new LatchSet().Customer(customer, isExclusive: false).User(customer, user).Key(id));
            if (ReadUser(customer, bytes) is null) throw new UserNotFoundException(customer, user);
            if (ReadKey(id) is not null)
            {
                if (given is null) continue;
                throw new KeyExistsException(id);
            }

            if (ReadKeys(customer, bytes).Count >= AccessKey.MaxOfUser) throw new TooManyKeysException(customer, user);
            DateTimeOffset? end = expiresAt is { } time ? RowTime.Round(time) : null;
            var key = new AccessKey(id, secret, customer, user, Wall, end);
            var batch = new WriteBatch();
            batch.Put(MetadataKeys.Key(Encoding.ASCII.GetBytes(id)), Files.Rows.Write(key));
            batch.Put(MetadataKeys.UserKey(customer, bytes, Encoding.ASCII.GetBytes(id)), []);
            await WriteAsync(batch);
            return key;
        }
    }

    /// <inheritdoc />
    public Task<AccessKey?> FindKeyAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(ReadKey(id));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<AccessKey>> ListKeysAsync(
        CustomerId customer, string user, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<AccessKey>>(ReadKeys(customer, Encoding.UTF8.GetBytes(user)));
    }

    /// <inheritdoc />
    public async Task<bool> DeleteKeyAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        // Whose it is does not change.
        if (ReadKey(id) is not { } known) return false;
        using var held = await latches.TakeAsync(new LatchSet().User(known.Customer, known.User).Key(id));
        if (ReadKey(id) is not { } key) return false;
        var batch = new WriteBatch { MayUseReserve = true };
        RemoveKey(batch, key);
        await WriteAsync(batch);
        return true;
    }

    static void RemoveKey(WriteBatch batch, AccessKey key)
    {
        var id = Encoding.ASCII.GetBytes(key.Id);
        batch.Delete(MetadataKeys.Key(id));
        batch.Delete(MetadataKeys.UserKey(key.Customer, Encoding.UTF8.GetBytes(key.User), id));
    }

    (string Id, string Secret) DrawKey()
    {
        Span<byte> bytes = stackalloc byte[KeyIdLength + SecretBytes];
        entropy.Fill(bytes);
        var id = new char[KeyIdLength];
        for (var i = 0; i < id.Length; i++) id[i] = Base32[bytes[i] % Base32.Length];
        return (new(id), Base64Url.EncodeToString(bytes[KeyIdLength..]));
    }

    User? ReadUser(CustomerId customer, ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > MaxNameBytes || name.Contains((byte)0)) return null;
        var key = MetadataKeys.User(customer, name);
        return store.Get(key) is { } row ? Files.Rows.ReadUser(key, row) : null;
    }

    AccessKey? ReadKey(string id)
    {
        if (!IsKeyId(id)) return null;
        var key = MetadataKeys.Key(Encoding.ASCII.GetBytes(id));
        return store.Get(key) is { } row ? Files.Rows.ReadKey(key, row) : null;
    }

    List<AccessKey> ReadKeys(CustomerId customer, byte[] user)
    {
        if (user.Length is 0 or > MaxNameBytes || user.Contains((byte)0)) return [];
        var prefix = MetadataKeys.UserKeys(customer, user);
        using var moment = store.CreateSnapshot();
        using var rows = moment.Scan(KeyRange.Prefix(prefix));
        var keys = new List<AccessKey>();
        while (rows.MoveNext())
        {
            var key = MetadataKeys.Key(rows.Key[prefix.Length..]);
            keys.Add(Files.Rows.ReadKey(key, moment.Get(key) ?? throw Missing(key, "a user's key is missing")));
        }

        return keys;
    }

    static byte[] UserName(string name)
    {
        CheckName(name, nameof(name));
        if (name.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("A name has no NUL.", nameof(name));
        return Encoding.UTF8.GetBytes(name);
    }

    static bool IsKeyId(string id) =>
        id.Length is > 0 and <= MaxKeyText && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    static void Check(GivenKey given)
    {
        if (!IsKeyId(given.Id))
            throw new ArgumentException($"An identity has 1 to {MaxKeyText} ASCII letters, digits, - and _.", nameof(given));
        if (given.Secret.Length is 0 or > MaxKeyText || given.Secret.Any(character => character is < '!' or > '~'))
            throw new ArgumentException($"A secret has 1 to {MaxKeyText} printable ASCII characters.", nameof(given));
    }
}

namespace Ashlar.Files;

/// <summary>What a user may do with the files of its customer.</summary>
[Flags]
public enum FileRights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read and list.</summary>
    Read = 1,

    /// <summary>Make and delete.</summary>
    Write = 2,

    /// <summary>Change what others may do.</summary>
    Administer = 4,
}

/// <summary>A user of a customer.</summary>
/// <param name="Customer">Whose.</param>
/// <param name="Name">Its name, which no other of the customer has.</param>
/// <param name="Rights">What it may do.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record User(CustomerId Customer, string Name, FileRights Rights, DateTimeOffset CreatedAt);

/// <summary>What programs sign requests with for a user.</summary>
/// <param name="Id">What it is known by, to everybody: of the whole store, for requests name no customer.</param>
/// <param name="Secret">What only its holder and the store know. Signatures are computed from it, so it is kept as it is.</param>
/// <param name="Customer">Whose.</param>
/// <param name="User">The user.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">From when on it is no good any more; null is never.</param>
public sealed record AccessKey(
    string Id, string Secret, CustomerId Customer, string User, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>Most keys of one user.</summary>
    public const int MaxOfUser = 100;

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"key {Id} of {User}, customer {Customer}";
}

/// <summary>An identity and a secret that somebody else has drawn.</summary>
/// <param name="Id">1 to 128 characters of A to Z, a to z, 0 to 9, <c>-</c> and <c>_</c>.</param>
/// <param name="Secret">1 to 128 characters of printable ASCII.</param>
public sealed record GivenKey(string Id, string Secret)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => $"key {Id}";
}

/// <summary>Users of customers, and their keys.</summary>
public interface IUsers
{
    /// <summary>Makes a user.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="UserExistsException">The name is taken.</exception>
    /// <exception cref="ArgumentException">The name is empty, longer than 255 bytes or has a NUL, or there are no such rights.</exception>
    Task<User> CreateUserAsync(CustomerId customer, string name, FileRights rights, CancellationToken cancellationToken = default);

    /// <summary>A user; null if there is none.</summary>
    Task<User?> FindUserAsync(CustomerId customer, string name, CancellationToken cancellationToken = default);

    /// <summary>Users of a customer, in the order of the bytes of their names.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="after">The name of the last of the page before; null for the first page.</param>
    /// <param name="limit">Most users.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<User>> ListUsersAsync(
        CustomerId customer, string? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Deletes a user with its keys.</summary>
    /// <exception cref="UserNotFoundException">There is no such user.</exception>
    Task DeleteUserAsync(CustomerId customer, string name, CancellationToken cancellationToken = default);

    /// <summary>Makes a key: its identity is 20 of A to Z and 2 to 7, its secret 40 characters; both are drawn by chance.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="user">Which user's.</param>
    /// <param name="expiresAt">From when on it is no good; null is never.</param>
    /// <param name="given">Identity and secret that were drawn elsewhere, for suites that bring their own; null draws them.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="UserNotFoundException">There is no such user.</exception>
    /// <exception cref="KeyExistsException">The given identity is taken.</exception>
    /// <exception cref="TooManyKeysException">The user has as many as it can have.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It is to end before 1970.</exception>
    Task<AccessKey> CreateKeyAsync(
        CustomerId customer, string user, DateTimeOffset? expiresAt = null, GivenKey? given = null,
        CancellationToken cancellationToken = default);

    /// <summary>A key, also one that is no good any more; null if there is none.</summary>
    Task<AccessKey?> FindKeyAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>The keys of a user, in the order of their identities; none if there is no such user.</summary>
    Task<IReadOnlyList<AccessKey>> ListKeysAsync(CustomerId customer, string user, CancellationToken cancellationToken = default);

    /// <summary>Deletes a key.</summary>
    /// <returns>Whether it was there.</returns>
    Task<bool> DeleteKeyAsync(string id, CancellationToken cancellationToken = default);
}

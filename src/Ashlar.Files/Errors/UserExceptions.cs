namespace Ashlar.Files;

/// <summary>There is no such user.</summary>
public sealed class UserNotFoundException(CustomerId customer, string name) : FileStoreException(
    $"user {name} of customer {customer}: not found")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>The name.</summary>
    public string Name { get; } = name;
}

/// <summary>The name of a user is taken.</summary>
public sealed class UserExistsException(CustomerId customer, string name) : FileStoreException(
    $"user {name} of customer {customer}: the name is taken")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>The name.</summary>
    public string Name { get; } = name;
}

/// <summary>The identity of a key is taken.</summary>
public sealed class KeyExistsException(string id) : FileStoreException($"key {id}: the identity is taken")
{
    /// <summary>The identity.</summary>
    public string Id { get; } = id;
}

/// <summary>A user has as many keys as it can have.</summary>
public sealed class TooManyKeysException(CustomerId customer, string name) : FileStoreException(
    $"user {name} of customer {customer}: it has {AccessKey.MaxOfUser} keys, and can have no more")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>The user.</summary>
    public string Name { get; } = name;
}

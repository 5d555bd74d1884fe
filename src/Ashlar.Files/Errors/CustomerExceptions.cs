namespace Ashlar.Files;

/// <summary>There is no such customer.</summary>
public sealed class CustomerNotFoundException(CustomerId customer) : FileStoreException($"customer {customer}: not found")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;
}

/// <summary>The name of a customer is taken.</summary>
public sealed class CustomerExistsException(string name) : FileStoreException($"customer {name}: the name is taken")
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}

/// <summary>A customer that is to be deleted has something.</summary>
public sealed class CustomerNotEmptyException(CustomerId customer, string what) : FileStoreException($"customer {customer}: it has {what}")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>What it has.</summary>
    public string What { get; } = what;
}

/// <summary>The customer's quota has no room.</summary>
public sealed class QuotaExceededException(CustomerId customer, string what, long used, long more, long limit) : FileStoreException(
    $"customer {customer}: {used} {what} are used or being added, {more} more would exceed the quota of {limit}")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>Of what there is a quota: <c>bytes</c>, <c>files</c>, <c>directories</c> or <c>open uploads</c>.</summary>
    public string What { get; } = what;

    /// <summary>How much is used or being added.</summary>
    public long Used { get; } = used;

    /// <summary>How much there was to be more.</summary>
    public long More { get; } = more;

    /// <summary>How much there may be.</summary>
    public long Limit { get; } = limit;
}

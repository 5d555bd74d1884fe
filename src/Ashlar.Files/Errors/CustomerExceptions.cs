namespace Ashlar.Files;

/// <summary>There is no such customer.</summary>
public sealed class CustomerNotFoundException(CustomerId customer) : FileStoreException($"customer {customer}: not found");

/// <summary>The name of a customer is taken.</summary>
public sealed class CustomerExistsException(string name) : FileStoreException($"customer {name}: the name is taken");

/// <summary>The customer's quota has no room.</summary>
public sealed class QuotaExceededException(CustomerId customer, string what, long used, long more, long limit) : FileStoreException(
    $"customer {customer}: {used} {what} are used or being added, {more} more would exceed the quota of {limit}")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;
}

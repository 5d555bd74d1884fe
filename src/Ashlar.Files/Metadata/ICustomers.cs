namespace Ashlar.Files;

/// <summary>Customers, their quotas and what they use.</summary>
public interface ICustomers
{
    /// <summary>Makes a customer.</summary>
    /// <exception cref="CustomerExistsException">The name is taken.</exception>
    /// <exception cref="ArgumentException">The name is empty or longer than 255 bytes, or a quota is negative.</exception>
    Task<Customer> CreateCustomerAsync(string name, Quota quota, CancellationToken cancellationToken = default);

    /// <summary>The customer of a name; null if there is none.</summary>
    Task<Customer?> FindCustomerAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Customers in the order of their numbers.</summary>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most customers.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<Customer>> ListCustomersAsync(CustomerId? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Changes a quota. Files that are there stay, whatever it is.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="ArgumentException">It is negative.</exception>
    Task SetQuotaAsync(CustomerId customer, Quota quota, CancellationToken cancellationToken = default);

    /// <summary>Deletes a customer with its users and keys. Blocks that it has left go as ever; its number is not given again.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="CustomerNotEmptyException">It has files or directories, or uploads that have not ended.</exception>
    Task DeleteCustomerAsync(CustomerId customer, CancellationToken cancellationToken = default);

    /// <summary>What all files of a customer take, exactly.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    Task<Usage> GetUsageAsync(CustomerId customer, CancellationToken cancellationToken = default);

    /// <summary>What a directory of the root takes, itself included, exactly; nothing if it is not there.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="ArgumentException">The path is not one component long.</exception>
    Task<Usage> GetBucketUsageAsync(CustomerId customer, FilePath bucket, CancellationToken cancellationToken = default);
}

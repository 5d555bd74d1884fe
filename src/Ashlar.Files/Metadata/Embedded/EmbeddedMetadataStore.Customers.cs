using System.Text;
using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    const int MaxNameBytes = 255;

    static readonly UTF8Encoding Strict = new(false, true);

    /// <inheritdoc />
    public async Task<Customer> CreateCustomerAsync(string name, Quota quota, CancellationToken cancellationToken = default)
    {
        CheckName(name, nameof(name));
        Check(quota);
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Customers());
        var nameKey = MetadataKeys.CustomerName(Encoding.UTF8.GetBytes(name));
        if (store.Get(nameKey) is not null) throw new CustomerExistsException(name);
        var customer = new Customer(new(nextCustomer), name, quota, Wall);
        var batch = new WriteBatch();
        // The number grows in the same batch: no number is given twice.
        batch.Put(MetadataKeys.Format, FormatRow(nextCustomer + 1));
        batch.Put(MetadataKeys.Customer(customer.Id), Files.Rows.Write(customer));
        batch.Put(nameKey, new RowWriter(9).UInt64(customer.Id.Value).Written);
        await WriteAsync(batch);
        nextCustomer++;
        return customer;
    }

    /// <inheritdoc />
    public Task<Customer?> FindCustomerAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        cancellationToken.ThrowIfCancellationRequested();
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length is 0 or > MaxNameBytes) return Task.FromResult<Customer?>(null);
        var key = MetadataKeys.CustomerName(bytes);
        return Task.FromResult(store.Get(key) is { } row ? ReadCustomer(new(new RowReader(key, row).UInt64())) : null);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<Customer>> ListCustomersAsync(
        CustomerId? after, int limit, CancellationToken cancellationToken = default)
    {
        return Task.FromResult<IReadOnlyList<Customer>>(ReadPage<Customer>(
            KeyRange.Prefix(MetadataKeys.Table(MetadataKeys.CustomerTable)),
            after is { } last ? MetadataKeys.Customer(last) : null,
            limit,
            static (row, out item) =>
            {
                item = Files.Rows.ReadCustomer(row.Key, row.Value);
                return true;
            },
            cancellationToken));
    }

    /// <inheritdoc />
    public async Task SetQuotaAsync(CustomerId customer, Quota quota, CancellationToken cancellationToken = default)
    {
        Check(quota);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        using var held = await latches.TakeAsync(new LatchSet().Customers());
        var batch = new WriteBatch();
        var present = ReadCustomer(customer) ?? throw new CustomerNotFoundException(customer);
        batch.Put(MetadataKeys.Customer(customer), Files.Rows.Write(present with { Quota = quota }));
        await WriteAsync(batch);
        account.Quota = quota;
    }

    /// <inheritdoc />
    public async Task DeleteCustomerAsync(CustomerId customer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Customers().Customer(customer, isExclusive: true));
        var present = ReadCustomer(customer) ?? throw new CustomerNotFoundException(customer);
        if (Exists(KeyRange.Prefix(MetadataKeys.Entries(customer, []))))
            throw new CustomerNotEmptyException(customer, "files or directories");
        if (Exists(KeyRange.Prefix(MetadataKeys.Intents(customer))))
            throw new CustomerNotEmptyException(customer, "uploads that have not ended");
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Delete(MetadataKeys.Customer(customer));
        batch.Delete(MetadataKeys.CustomerName(Encoding.UTF8.GetBytes(present.Name)));
        DeleteRows(batch, MetadataKeys.Usages(customer));
        DeleteRows(batch, MetadataKeys.Users(customer));
        using (var keys = store.Scan(KeyRange.Prefix(MetadataKeys.UserKeys(customer))))
        {
            while (keys.MoveNext())
            {
                batch.Delete(keys.Key);
                batch.Delete(MetadataKeys.Key(keys.Key[(keys.Key.LastIndexOf((byte)0) + 1)..]));
            }
        }

        await WriteAsync(batch);
        accounts.Forget(customer);
    }

    /// <inheritdoc />
    public Task<Usage> GetUsageAsync(CustomerId customer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        accounts.Of(customer);
        return Task.FromResult(SumUsage(MetadataKeys.Usages(customer)));
    }

    /// <inheritdoc />
    public Task<Usage> GetBucketUsageAsync(CustomerId customer, FilePath bucket, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bucket);
        cancellationToken.ThrowIfCancellationRequested();
        if (bucket.IsRoot || !bucket.Parent.IsRoot) throw new ArgumentException($"{bucket} is no directory of the root.", nameof(bucket));
        accounts.Of(customer);
        return Task.FromResult(SumUsage(MetadataKeys.Usages(customer, bucket)));
    }

    void DeleteRows(WriteBatch batch, byte[] prefix)
    {
        using var rows = store.Scan(KeyRange.Prefix(prefix));
        while (rows.MoveNext()) batch.Delete(rows.Key);
    }

    // Behind the latch of the customer: nobody deletes it from here on. The row alone says that it is there.
    void RequireCustomer(CustomerId customer)
    {
        if (store.Get(MetadataKeys.Customer(customer)) is null) throw new CustomerNotFoundException(customer);
    }

    // A scan sees one moment.
    Usage SumUsage(byte[] prefix)
    {
        var sum = default(Usage);
        using var rows = store.Scan(KeyRange.Prefix(prefix));
        while (rows.MoveNext()) sum += Files.Rows.ReadUsage(rows.Key, rows.Value);
        return sum;
    }

    Customer? ReadCustomer(CustomerId customer)
    {
        var key = MetadataKeys.Customer(customer);
        return store.Get(key) is { } row ? Files.Rows.ReadCustomer(key, row) : null;
    }

    static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        try
        {
            if (name.Length > MaxNameBytes || Strict.GetByteCount(name) > MaxNameBytes)
                throw new ArgumentException($"It is longer than {MaxNameBytes} bytes.", parameter);
        }
        catch (EncoderFallbackException half)
        {
            throw new ArgumentException("It has half a surrogate pair, which UTF-8 cannot express.", parameter, half);
        }
    }

    static void Check(Quota quota)
    {
        if (quota.Bytes < 0 || quota.Files < 0) throw new ArgumentException("A quota is not negative.", nameof(quota));
    }
}

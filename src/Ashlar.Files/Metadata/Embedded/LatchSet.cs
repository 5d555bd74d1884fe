namespace Ashlar.Files;

/// <summary>What a transaction latches: names, blocks by their hash, intents, the list of customers.</summary>
sealed class LatchSet
{
    readonly List<(int Hash, bool IsExclusive, bool IsCustomer)> wanted = [];

    /// <summary>A name: shared by who relies on a directory being there, exclusive for who makes or deletes what has the name.</summary>
    public LatchSet Path(CustomerId customer, FilePath path, bool isExclusive) => Add('N', customer, path.GetHashCode(), isExclusive);

    /// <summary>All generations of a block: shared by who refers to it, exclusive for who changes its rows.</summary>
    public LatchSet Block(CustomerId customer, ContentHash hash, bool isExclusive) => Add('B', customer, hash.GetHashCode(), isExclusive);

    /// <summary>An intent: shared by who makes rows of its blocks live, exclusive for who pins, puts parts, or renews or ends it.</summary>
    public LatchSet Intent(CustomerId customer, ulong id, bool isExclusive) => Add('I', customer, id.GetHashCode(), isExclusive);

    /// <summary>The list of customers, and the rows of customers.</summary>
    public LatchSet Customers() => Add('C', default, 0, isExclusive: true);

    /// <summary>A customer: shared by who begins something for it, exclusive for who deletes it.</summary>
    public LatchSet Customer(CustomerId customer, bool isExclusive) => Add('c', customer, 0, isExclusive);

    /// <summary>A user with its keys.</summary>
    public LatchSet User(CustomerId customer, string name) => Add('U', customer, string.GetHashCode(name, StringComparison.Ordinal), true);

    /// <summary>A key.</summary>
    public LatchSet Key(string id) => Add('Y', default, string.GetHashCode(id, StringComparison.Ordinal), true);

    /// <summary>A note.</summary>
    public LatchSet Note(string name) => Add('x', default, string.GetHashCode(name, StringComparison.Ordinal), true);

    /// <summary>
    /// Each stripe once, as exclusive as anything in it must be. Customers have stripes of their own behind the others: nearly everything
    /// shares one, and would wait for whatever else was there.
    /// </summary>
    public (int Stripe, bool IsExclusive)[] InOrder(int stripeCount, int customerStripes) =>
    [
        .. wanted
            .GroupBy(latch => latch.IsCustomer
                ? stripeCount + (int)((uint)latch.Hash % (uint)customerStripes)
                : (int)((uint)latch.Hash % (uint)stripeCount))
            .Select(stripe => (Stripe: stripe.Key, stripe.Any(latch => latch.IsExclusive)))
            .OrderBy(stripe => stripe.Stripe),
    ];

    LatchSet Add(char kind, CustomerId customer, int hash, bool isExclusive)
    {
        wanted.Add((HashCode.Combine(kind, customer, hash), isExclusive, kind == 'c'));
        return this;
    }
}

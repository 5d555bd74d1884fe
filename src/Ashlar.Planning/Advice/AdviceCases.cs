namespace Ashlar.Planning;

/// <summary>Needs that many have had, as examples and to begin with. They are texts of <see cref="NeedsFile"/>.</summary>
public static class AdviceCases
{
    /// <summary>Name and text.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["orders"] = """
            # E-commerce: 5 M orders a month of 5 rows; a sale at 50 times the mean.
            team = 3
            [orders]                       # order, lines, payment and stock change together
            queries     = transaction, lookup, range, join
            consistency = transactions
            role        = record
            writes      = 500/s
            reads       = 5k/s
            size        = 2TiB
            [catalogue]                    # what the shop shows and finds
            queries     = lookup, document, search
            consistency = eventual
            role        = record
            writes      = 10/s
            reads       = 5k/s
            size        = 20GiB
            """,
        ["dashboard"] = """
            # Analytics: 430 M events a day of 130 B for a year; twenty people look at charts.
            team = 3
            [events]
            queries     = aggregate, window
            consistency = eventual
            role        = derived
            writes      = 5k/s
            reads       = 20/s
            size        = 20TiB
            """,
        ["sessions"] = """
            # Sessions of 2 KiB for 10 M users; gone after 30 minutes without use.
            team = 3
            [sessions]
            queries     = lookup, expire
            consistency = session
            role        = ephemeral
            writes      = 10k/s
            reads       = 50k/s
            size        = 20GiB
            """,
        ["rides"] = """
            # Ride-sharing: 500,000 drivers on the road, a position every 4 seconds: 125,000 writes/s.
            team = 6
            [trips]                        # request, match, price, payment
            queries     = transaction, lookup, range, join
            consistency = transactions
            role        = record
            writes      = 1k/s
            reads       = 5k/s
            size        = 2TiB
            [positions]                    # the last one of each driver; 200 B
            queries     = lookup, nearby, expire
            consistency = eventual
            role        = ephemeral
            writes      = 125k/s
            reads       = 20k/s
            size        = 1GiB
            [tracks]                       # all of them, 30 days of 40 B
            queries     = range, window, expire
            consistency = eventual
            role        = record
            writes      = 125k/s
            reads       = 100/s
            size        = 12TiB
            """,
        ["urls"] = """
            # A URL shortener: 100 M links a month, 100 reads a write, kept for 5 years: 6 bn of 500 B.
            team = 2
            [links]                        # written once, then only read
            queries     = lookup
            consistency = strong
            role        = record
            writes      = 40/s
            reads       = 4k/s
            size        = 3TiB
            """,
    };
}

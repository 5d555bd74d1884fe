using System.Text.Json;

namespace Ashlar.Simulation;

/// <summary>
/// Gives a parser mutated messages of a corpus, by themselves, without a connection. None may make it throw, or allocate more than a
/// message of its size is worth, whatever lengths are written in it.
/// </summary>
public static class ParserFuzz
{
    const int AllocatedPerByte = 64;

    /// <summary>Counts what became of the messages.</summary>
    /// <param name="Inputs">All.</param>
    /// <param name="Accepted">What the parser took for valid: without many of them only its first check was under test.</param>
    /// <param name="MostAllocatedBytes">By one message.</param>
    public sealed record Result(int Inputs, int Accepted, long MostAllocatedBytes)
    {
        /// <summary>The line of a run that nothing has failed.</summary>
        public string ToJson(string parser, ulong seed) => JsonSerializer.Serialize(new
        {
            line = "parser fuzz",
            parser,
            seed,
            inputs = Inputs,
            accepted = Accepted,
            mostAllocatedBytes = MostAllocatedBytes,
            failures = 0,
        });
    }

    /// <param name="corpus">Valid messages.</param>
    /// <param name="inputs">How many to make of them.</param>
    /// <param name="seed">Of the choices.</param>
    /// <param name="allowedBytes">What the parser may allocate, besides a multiple of the message's length.</param>
    /// <param name="parse">Whether a message was accepted.</param>
    /// <exception cref="ParserFuzzException">A message did harm.</exception>
    public static Result Run(IReadOnlyList<byte[]> corpus, int inputs, ulong seed, long allowedBytes, Func<byte[], bool> parse)
    {
        foreach (var valid in corpus)
        {
            if (!parse(valid)) throw new ParserFuzzException($"a message of the corpus is refused: {Convert.ToHexString(valid)}", null);
        }

        var random = new SeededRandom(seed);
        var accepted = 0;
        var most = 0L;
        for (var input = 0; input < inputs; input++)
        {
            var message = Mutation.Of(random.Pick(corpus), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (parse(message)) accepted++;
            }
            catch (Exception failure)
            {
                throw new ParserFuzzException($"seed {seed}, input {input}: {failure.Message}\n{Convert.ToHexString(message)}", failure);
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > allowedBytes + ((long)AllocatedPerByte * message.Length))
            {
                throw new ParserFuzzException(
                    $"seed {seed}, input {input}: {allocated} bytes allocated for a message of "
                        + $"{message.Length}\n{Convert.ToHexString(message)}", null);
            }

            most = Math.Max(most, allocated);
        }

        return new(inputs, accepted, most);
    }
}

/// <summary>A message did harm to a parser.</summary>
public sealed class ParserFuzzException(string message, Exception? cause) : Exception(message, cause);

using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Files.Tests;

/// <summary>Normal form C is what another implementation says it is: <c>eng/canonical-forms.mjs --golden</c> prints its hashes.</summary>
public sealed class NormalFormTests
{
    const int Hangul = 0xAC00, HangulEnd = 0xD7A3, Surrogates = 0xD800, SurrogatesEnd = 0xDFFF, Last = 0x10FFFF;

    [Fact]
    public void Every_character_has_the_form_that_it_has_elsewhere()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var point in Points()) Append(hash, NormalForm.Of(char.ConvertFromUtf32(point)));
        Assert.Equal("25e4dc380e0fb9c03453f00b2fabdd0941f5196ab31b0ec58ac9459a6fc8f671", Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [Fact]
    public void Marks_in_any_order_have_the_form_that_they_have_elsewhere()
    {
        var interesting = Points().Where(IsInteresting).ToArray();
        Assert.Equal(3045, interesting.Length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var state = 1u;
        for (var i = 0; i < 20_000; i++)
        {
            var drawn = new StringBuilder();
            for (var length = 1 + Draw(6); length > 0; length--)
            {
                var chosen = Draw(4) == 0 ? 0x1100 + Draw(0xC3) : interesting[Draw(interesting.Length)];
                if (Draw(2) == 0) drawn.Append(char.ConvertFromUtf32(chosen));
                else AppendParts(drawn, chosen);
            }

            Append(hash, NormalForm.Of(drawn.ToString()));
        }

        Assert.Equal("8eebfb522e44aaaa1bd793c38fa5379bf7b9f1f4571d3c6782b7b81507c8f525", Convert.ToHexStringLower(hash.GetHashAndReset()));

        int Draw(int bound)
        {
            state = state * 1664525 + 1013904223;
            return (int)(state / 65536) % bound;
        }
    }

    [Theory]
    [InlineData("\u00e9", "\u00e9")]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("\u212b", "\u00c5")]
    [InlineData("\u1100\u1161\u11a8", "\uac01")]
    [InlineData("q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u0958", "\u0915\u093c")]
    public void A_text_has_one_form(string text, string form)
    {
        Assert.Equal(form, NormalForm.Of(text));
        Assert.Equal(text == form, NormalForm.Has(text));
        Assert.True(NormalForm.Has(form));
    }

    static IEnumerable<int> Points() => Enumerable.Range(0x80, Last - 0x7F)
        .Where(point => point is not (>= Surrogates and <= SurrogatesEnd) and not (>= Hangul and <= HangulEnd));

    static bool IsInteresting(int point) =>
        CanonicalForms.All.ClassOf(point) > 0 || !CanonicalForms.All.PartsOf(point).IsEmpty;

    static void AppendParts(StringBuilder into, int point)
    {
        var parts = CanonicalForms.All.PartsOf(point);
        if (parts.IsEmpty) into.Append(char.ConvertFromUtf32(point));
        foreach (var part in parts) AppendParts(into, part);
    }

    static void Append(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
}

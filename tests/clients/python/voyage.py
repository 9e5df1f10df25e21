"""voyageai: documents ranked and texts embedded, by upstreams that can."""

import os

import voyageai

from lead import KEY, expect, over_upstreams

CLIENT = voyageai.Client(api_key=KEY, base_url=os.environ["SLUICE_VOYAGE_URL"] + "/v1", max_retries=0)
DOCUMENTS = ["Rain over Cologne.", "A recipe for bread.", "The weather tomorrow."]


def rank(upstream, _):
    ranked = CLIENT.rerank("weather", DOCUMENTS, model=f"{upstream}-chat", top_k=2).results
    assert len(ranked) == 2 and ranked[0].relevance_score >= ranked[1].relevance_score, ranked
    assert all(one.document == DOCUMENTS[one.index] for one in ranked), ranked
    expect(voyageai.error.RateLimitError, lambda: CLIENT.rerank("weather", DOCUMENTS, model=f"{upstream}-limited"))


def embed(upstream, _):
    vectors = CLIENT.embed(["one", "two"], model=f"{upstream}-chat").embeddings
    assert len(vectors) == 2 and all(len(one) >= 8 and isinstance(one[0], float) for one in vectors), vectors


if __name__ == "__main__":
    over_upstreams("py-voyage-rerank", rank, ["cohere"])
    over_upstreams("py-voyage-embed", embed, ["openai", "gemini", "cohere", "ollama"])
